import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Client, type Pool, type PoolClient } from 'pg';
import { retryRead } from '../database/retry-read.ts';
import { type Sql, type Statement, toStatement } from './sql.ts';

/**
 * Runs recurring read statements, bypassing the unit of work. Each is prepared on every connection that runs it, because
 * planning a page takes longer than reading it.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  private readonly preparedOn = new WeakMap<PoolClient, Set<string>>();

  constructor(
    private readonly em: EntityManager,
    /** Off behind a pooler in transaction mode, where a prepared statement is lost with its connection. */
    private readonly prepares = true,
  ) {}

  /** For reads only: a read is sent again when its connection broke. Aborting the signal cancels the statement. */
  async rows(fragment: Sql, signal?: AbortSignal): Promise<unknown[][]> {
    const statement = toStatement(fragment);
    return retryRead(() => this.run(statement, signal));
  }

  private async run({ text, values }: Statement, signal?: AbortSignal): Promise<unknown[][]> {
    const pool = await this.em.getConnection().getNativeClient();
    const client = await pool.connect();
    let isSent = false;
    const onAbort = () => void cancel(client, pool);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      signal?.throwIfAborted();
      isSent = true;
      const name = this.prepares ? this.nameOf(text) : undefined;
      if (name) this.preparedBy(client).add(name);
      const { rows } = await client.query<unknown[]>({
        text,
        values: [...values],
        rowMode: 'array',
        ...(name && { name }),
      });
      return rows;
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      // Closed, so that a late cancellation cannot hit the next statement, and so that a client that keeps sending new documents
      // cannot fill PostgreSQL's memory: a connection keeps everything it has prepared.
      client.release((isSent && signal?.aborted) || this.preparedBy(client).size > 2 * MAX_NAMES);
    }
  }

  private nameOf(text: string): string {
    const known = this.names.get(text);
    if (known) return known;
    if (this.names.size === MAX_NAMES) this.names.clear();
    const name = `read_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
    this.names.set(text, name);
    return name;
  }

  private preparedBy(client: PoolClient): Set<string> {
    const prepared = this.preparedOn.get(client) ?? new Set();
    this.preparedOn.set(client, prepared);
    return prepared;
  }
}

/** Cancels on a connection of its own, since those of the pool may all be busy. */
async function cancel(client: PoolClient, { options }: Pool): Promise<void> {
  const other = new Client(options);
  other.on('error', () => {}); // the statement then ends by its own timeout
  try {
    await other.connect();
    await other.query('select pg_cancel_backend($1)', [(client as PoolClient & { processID: number }).processID]);
  } catch {
  } finally {
    await other.end().catch(() => {});
  }
}

/** A prepared plan takes about 100 kB per connection. A connection that has prepared twice as many is closed. */
const MAX_NAMES = 100;
