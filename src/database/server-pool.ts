import type { ClientBase, Pool, PoolConfig } from 'pg';
import { destroySocket, type PgClient } from './pg-client.ts';

/** Milliseconds. What a server gives its PostgreSQL for each thing; the embedded one has limits of its own. */
const LIMITS = {
  /** A connection: to get one of the pool's, or to open one. */
  connectionTimeoutMillis: 2_000,
  /** A statement, by PostgreSQL's clock. */
  statement_timeout: 10_000,
  /** A statement, by ours: for a PostgreSQL, or a network, that says nothing at all. */
  query_timeout: 11_000,
  /** Waiting for somebody else's lock. */
  lock_timeout: 5_000,
  /** A transaction that does nothing: a process that hangs holds on to its locks. */
  idle_in_transaction_session_timeout: 15_000,
};

/**
 * The connections of a server to its PostgreSQL. pg and kysely put what breaks out of the pool; what merely falls silent
 * is ended here.
 */
export class ServerPool {
  readonly driverOptions: DriverOptions;
  /** Told of every statement, and of its answer. */
  onStatement: PgClient['onStatement'];
  private readonly connections = new Set<ClientBase>();
  private pool: Pool | undefined;

  constructor(readonly maxConnections: number) {
    this.driverOptions = {
      ...LIMITS,
      max: maxConnections,
      keepAlive: true,
      application_name: 'conduit',
      // Compiling a plan takes longer than any page; PostgreSQL would for what is deep enough to look expensive. It takes
      // every disk for one that turns, and would rather read the tags from end to end than look one up: for each tag of a page.
      options: '-c jit=off -c random_page_cost=1.1',
      onPoolCreated: (pool: Pool) => this.watch(pool),
    };
  }

  /** How many connections there are, do nothing, and are waited for. */
  get counts(): { total: number; idle: number; waiting: number } {
    const { totalCount: total, idleCount: idle, waitingCount: waiting } = this.pool ?? NONE;
    return { total, idle, waiting };
  }

  /** Ends every connection, so that nobody waits any longer for the answer to what was sent on one. */
  cut(): void {
    for (const connection of this.connections) destroySocket(connection);
  }

  private watch(pool: Pool): void {
    this.pool = pool;
    pool.on('connect', (connection) => {
      this.connections.add(connection);
      (connection as ClientBase as PgClient).onStatement = (text, answer) => this.onStatement?.(text, answer);
    });
    pool.on('remove', (connection) => this.connections.delete(connection));
  }
}

/** Options of pg, and of MikroORM, which creates the pool. */
export interface DriverOptions extends Omit<PoolConfig, 'statement_timeout'> {
  statement_timeout?: number | '0';
  onPoolCreated?(pool: Pool): void;
}

const NONE = { totalCount: 0, idleCount: 0, waitingCount: 0 };
