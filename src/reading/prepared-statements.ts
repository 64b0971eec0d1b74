import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Client, type Pool, type PoolClient } from 'pg';
import { retryRead } from '../database/database-errors.ts';
import { type Sql, type Statement, statementOf } from './sql.ts';

/**
 * Runs statements that come again and again, past the unit of work. PostgreSQL keeps each prepared, on every connection
 * that has run it: planning a page takes longer than reading it.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  private readonly preparedOn = new WeakMap<PoolClient, Set<string>>();

  constructor(
    private readonly em: EntityManager,
    /** Off for poolers that give every transaction another connection. */
    private readonly prepares = true,
  ) {}

  /**
   * For reads, which may be sent twice: once more when the connection broke under the first. When the signal aborts, nobody
   * waits for the answer, and PostgreSQL is told to leave it.
   */
  async rows(piece: Sql, signal?: AbortSignal): Promise<unknown[][]> {
    const statement = statementOf(piece);
    return retryRead(() => this.run(statement, signal));
  }

  private async run({ text, values }: Statement, signal?: AbortSignal): Promise<unknown[][]> {
    const pool = await this.em.getConnection().getNativeClient();
    const client = await pool.connect();
    let isSent = false;
    const leave = () => void cancel(client, pool);
    signal?.addEventListener('abort', leave, { once: true });
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
      signal?.removeEventListener('abort', leave);
      // A cancellation that comes late must not meet the next statement; and what a connection has prepared it keeps, so that
      // whoever sends ever new documents would fill PostgreSQL's memory.
      client.release((isSent && signal?.aborted) || this.preparedBy(client).size > 2 * MOST_NAMES);
    }
  }

  private nameOf(text: string): string {
    const known = this.names.get(text);
    if (known) return known;
    if (this.names.size === MOST_NAMES) this.names.clear();
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

/** On a connection of its own: those of the pool may all be waiting for an answer. */
async function cancel(client: PoolClient, { options }: Pool): Promise<void> {
  const other = new Client(options);
  other.on('error', () => {}); // the statement then ends by its own limit
  try {
    await other.connect();
    await other.query('select pg_cancel_backend($1)', [(client as PoolClient & { processID: number }).processID]);
  } catch {
  } finally {
    await other.end().catch(() => {});
  }
}

/** A plan takes some 100 kB on each connection. One that has prepared twice as many is closed, and another opened for it. */
const MOST_NAMES = 100;
