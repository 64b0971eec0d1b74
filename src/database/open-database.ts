import { join } from 'node:path';
import type { EmbeddedDatabase } from '../embedded-postgres/embedded-database.ts';
import type { DatabaseEnvironment } from '../environment.ts';
import { clientOptions, type PostgresServer } from '../postgres-url.ts';
import { findPrimary } from './find-primary.ts';
import { Heartbeat } from './heartbeat.ts';
import { type DriverOptions, ServerPool } from './server-pool.ts';

/** The connection, as MikroORM's options. */
export type ConnectionOptions =
  | { clientUrl: string; driverOptions?: DriverOptions }
  | { host: string; port: number; user: string; password?: string; dbName: string; driverOptions?: DriverOptions };

export interface OpenDatabase {
  readonly connection: ConnectionOptions;
  /** Set when the database is the embedded one. */
  readonly embedded?: EmbeddedDatabase;
  /** The server's connections, when the database is not the embedded one. */
  readonly pool?: ServerPool;
  readonly heartbeat?: Heartbeat;
  /** The file to lock while migrating the embedded database, whose connections share one session and so its locks. */
  readonly migrationLock?: string;
}

type DatabaseOptions = Pick<DatabaseEnvironment, 'postgres' | 'dataFolder'> &
  Partial<Pick<DatabaseEnvironment, 'embeddedFsync'>> & { readonly poolSize?: number };

/** For migrations and seeds. Strings, because pg treats the number 0 as not set. */
const NO_STATEMENT_TIMEOUT: DriverOptions = { statement_timeout: '0' };
const NO_TIMEOUTS: DriverOptions = {
  ...NO_STATEMENT_TIMEOUT,
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

/** Whatever PGSSLMODE says: the embedded database is on a socket in the data folder. */
const NO_TLS: DriverOptions = { ssl: false };

export const embeddedFolder = (dataFolder: string): string => join(dataFolder, 'postgres');

/**
 * Opens the configured PostgreSQL, or the embedded one in the data folder. A server must own the embedded database; a command
 * connects through the process that owns it, if there is one.
 */
export async function openDatabase(
  { postgres, dataFolder, embeddedFsync = true, poolSize = 10 }: DatabaseOptions,
  as: 'server' | 'command',
  log: (line: string) => void = () => {},
): Promise<OpenDatabase> {
  if (postgres) {
    const { driverOptions, ...address } = connectionTo(postgres, await findPrimary(postgres));
    if (as === 'command') return { connection: { ...address, driverOptions: { ...driverOptions, ...NO_TIMEOUTS } } };
    const pool = new ServerPool(poolSize, driverOptions);
    const heartbeat = monitor(pool, postgres, log);
    return { connection: { ...address, driverOptions: pool.driverOptions }, pool, heartbeat };
  }
  // Loaded here, because a command on a PostgreSQL server ends before these modules would be loaded.
  const { openEmbeddedDatabase } = await import('../embedded-postgres/embedded-database.ts');
  const embedded = await openEmbeddedDatabase({
    folder: embeddedFolder(dataFolder),
    durable: embeddedFsync,
    requireOwnership: as === 'server',
    log,
  });
  const driverOptions = { ...NO_TLS, ...(as === 'command' && NO_STATEMENT_TIMEOUT) };
  const connection = { ...embedded.connection, driverOptions };
  return { connection, embedded, migrationLock: join(dataFolder, 'migration.lock') };
}

/** A heartbeat that closes the connections of the pool when they are useless, and leads them to the primary. */
export function monitor(pool: ServerPool, server: PostgresServer, log: (line: string) => void): Heartbeat {
  const [first, ...others] = server.hosts;
  const hosts = [clientOptions(server, first), ...others.map((host) => clientOptions(server, host))] as const;
  const heartbeat = new Heartbeat(hosts, {
    disconnect: () => pool.destroyConnections(),
    useHost: (host) => pool.useHost(host),
    log,
  });
  pool.watchedBy = heartbeat;
  return heartbeat;
}

/** The connection to a PostgreSQL server, by default to its first host. */
export function connectionTo(server: PostgresServer, address = server.hosts[0]) {
  const { host, port, user, password, database, ...driverOptions } = clientOptions(server, address);
  return { host, port, user, password, dbName: database, driverOptions };
}
