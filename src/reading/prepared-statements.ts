import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { PoolClient } from 'pg';
import type { Rows, Statement } from '../database/batch/statement-pipeline.ts';
import { Cancellations } from '../database/cancellations.ts';
import { isUnknownStatement } from '../database/database-errors.ts';
import type { PgClient } from '../database/pg-client.ts';
import { retryRead } from '../database/retry-read.ts';
import { type Sql, toStatement } from './sql.ts';

/**
 * Runs recurring statements, bypassing the unit of work. Each is prepared on every connection that runs it, because
 * planning a page takes longer than reading it.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  private readonly preparedOn = new WeakMap<PoolClient, Set<string>>();
  private readonly cancellations = new Cancellations();
  private prepares: boolean;

  constructor(
    private readonly em: EntityManager,
    { prepares = true, log = (_line: string) => {} } = {},
  ) {
    this.prepares = prepares;
    this.log = log;
  }

  private readonly log: (line: string) => void;

  /** For reads only: a read is sent again when its connection broke. Aborting the signal cancels the statement. */
  async rows(fragment: Sql, signal?: AbortSignal): Promise<unknown[][]> {
    const statement = toStatement(fragment);
    try {
      return await retryRead(() => this.run(statement, signal));
    } catch (error) {
      if (!isUnknownStatement(error)) throw error;
      this.stopPreparing();
      return await retryRead(() => this.run(statement, signal));
    }
  }

  /**
   * Runs statements as one transaction, in one message, and returns the rows of the last one. Sent again only when a prepared
   * statement was missing, since nothing is done then.
   */
  async transaction(statements: readonly Statement[]): Promise<Rows> {
    try {
      return await this.runTogether(statements);
    } catch (error) {
      if (!isUnknownStatement(error)) throw error;
      this.stopPreparing();
      return await this.runTogether(statements);
    }
  }

  private async runTogether(statements: readonly Statement[]): Promise<Rows> {
    const pool = await this.em.getConnection().getNativeClient();
    const client = (await pool.connect()) as PoolClient & PgClient;
    const prepared = this.preparedBy(client);
    try {
      const named = statements.map((each) => ({ ...each, name: this.prepares ? this.nameOf(each.text) : '' }));
      for (const { name } of named) if (name) prepared.add(name);
      return await client.runTogether(named);
    } finally {
      client.release(prepared.size > 2 * MAX_NAMES);
    }
  }

  /** Behind a pooler in transaction mode, a prepared statement stays on one of its connections. */
  private stopPreparing(): void {
    if (!this.prepares) return;
    this.prepares = false;
    this.log(
      'A connection lacks what was prepared on it, so there is a pooler that does not keep track of prepared statements. Preparing none from now on, as with PREPARED_STATEMENTS=off.',
    );
  }

  private async run({ text, values }: Statement, signal?: AbortSignal): Promise<unknown[][]> {
    const pool = await this.em.getConnection().getNativeClient();
    const client = await pool.connect();
    let isSent = false;
    let isRunning = true;
    const onAbort = () => void this.cancellations.cancel(client, () => isRunning);
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
      isRunning = false;
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
    const name = `conduit_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
    this.names.set(text, name);
    return name;
  }

  private preparedBy(client: PoolClient): Set<string> {
    const prepared = this.preparedOn.get(client) ?? new Set();
    this.preparedOn.set(client, prepared);
    return prepared;
  }
}

/** A prepared plan takes about 100 kB per connection. A connection that has prepared twice as many is closed. */
const MAX_NAMES = 100;
