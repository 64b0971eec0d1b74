import type { ClientBase, ClientConfig, Pool, PoolConfig } from 'pg';
import { isReadOnly } from './database-errors.ts';
import type { Heartbeat } from './heartbeat.ts';
import { destroySocket, type PgClient } from './pg-client.ts';

/** Timeouts of the server's connections, in milliseconds. The embedded database has timeouts of its own. */
const TIMEOUTS = {
  /** To get a connection from the pool, or to open one. */
  connectionTimeoutMillis: 2_000,
  /** A statement, as measured by PostgreSQL. */
  statement_timeout: 10_000,
  /** A statement, as measured by pg: for a server or a network that stopped responding. */
  query_timeout: 11_000,
  /** To wait for a lock. */
  lock_timeout: 5_000,
  /** An idle transaction: a process that hangs keeps its locks. */
  idle_in_transaction_session_timeout: 15_000,
};

/**
 * The server's connections to PostgreSQL. pg and kysely remove broken connections from the pool; this class can also close
 * those that no longer respond.
 */
export class ServerPool {
  readonly driverOptions: DriverOptions;
  /** Called with every statement and its result. */
  onStatement: PgClient['onStatement'];
  /** Gets to know what the connections of the pool find out. */
  watchedBy: Pick<Heartbeat, 'noteResponse' | 'checkNow'> | undefined;
  private readonly connections = new Set<ClientBase>();
  private pool: Pool | undefined;
  private host: ClientConfig | undefined;

  constructor(
    readonly maxConnections: number,
    { options = '', ...own }: DriverOptions = {},
  ) {
    this.driverOptions = {
      ...TIMEOUTS,
      max: maxConnections,
      keepAlive: true,
      application_name: 'conduit',
      ...own,
      // PostgreSQL would JIT-compile deeply nested plans, or start parallel workers for them, which takes longer than any page. Its
      // default random_page_cost assumes a rotating disk and prefers scanning the tags to an index lookup for each tag of a page.
      options: `-c jit=off -c max_parallel_workers_per_gather=0 -c random_page_cost=1.1 ${options}`.trim(),
      onPoolCreated: (pool: Pool) => this.watch(pool),
    };
  }

  /** The number of connections, of idle ones, and of requests waiting for one. */
  get counts(): { total: number; idle: number; waiting: number } {
    const { totalCount: total, idleCount: idle, waitingCount: waiting } = this.pool ?? NONE;
    return { total, idle, waiting };
  }

  /** Where new connections lead. Those to another host are closed. */
  useHost(target: ClientConfig): void {
    const { host, port } = this.host ?? this.pool?.options ?? target;
    this.host = target;
    if (this.pool) this.lead(this.pool);
    if (host !== target.host || port !== target.port) this.destroyConnections();
  }

  /** Closes every connection, so that pending statements fail instead of waiting for a response. */
  destroyConnections(): void {
    for (const connection of this.connections) destroySocket(connection);
  }

  private watch(pool: Pool): void {
    this.pool = pool;
    this.lead(pool);
    pool.on('connect', (connection) => {
      this.connections.add(connection);
      const client = connection as ClientBase as PgClient;
      client.onStatement = (text, result) => this.onStatement?.(text, result);
      client.onDone = (error) => {
        if (!error) this.watchedBy?.noteResponse();
        else if (isReadOnly(error)) this.watchedBy?.checkNow();
      };
    });
    pool.on('remove', (connection) => this.connections.delete(connection));
  }

  /** The pool makes each connection with the options that it has then. */
  private lead(pool: Pool): void {
    if (!this.host) return;
    const { host, port, ssl, sslnegotiation } = this.host;
    Object.assign(pool.options, { host, port, ssl, sslnegotiation });
  }
}

/** Options of pg, and of MikroORM, which creates the pool. */
export interface DriverOptions extends Omit<PoolConfig, Timeout> {
  statement_timeout?: number | '0';
  lock_timeout?: number | '0';
  idle_in_transaction_session_timeout?: number | '0';
  onPoolCreated?(pool: Pool): void;
}

type Timeout = 'statement_timeout' | 'lock_timeout' | 'idle_in_transaction_session_timeout';

const NONE = { totalCount: 0, idleCount: 0, waitingCount: 0 };
