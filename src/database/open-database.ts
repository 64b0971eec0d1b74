import { join } from 'node:path';
import type { EmbeddedDatabase } from '../embedded-postgres/embedded-database.ts';
import type { DatabaseEnvironment } from '../environment.ts';
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

type DatabaseOptions = Pick<DatabaseEnvironment, 'databaseUrl' | 'dataFolder'> &
  Partial<Pick<DatabaseEnvironment, 'embeddedFsync'>> & { readonly poolSize?: number };

/** For migrations and seeds. Strings, because pg treats the number 0 as not set. */
const NO_STATEMENT_TIMEOUT: DriverOptions = { statement_timeout: '0' };
const NO_TIMEOUTS: DriverOptions = {
  ...NO_STATEMENT_TIMEOUT,
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

export const embeddedFolder = (dataFolder: string): string => join(dataFolder, 'postgres');

/**
 * Opens the configured PostgreSQL, or the embedded one in the data folder. A server must own the embedded database; a command
 * connects through the process that owns it, if there is one.
 */
export async function openDatabase(
  { databaseUrl, dataFolder, embeddedFsync = true, poolSize = 10 }: DatabaseOptions,
  as: 'server' | 'command',
  log: (line: string) => void = () => {},
): Promise<OpenDatabase> {
  if (databaseUrl && as === 'command') return { connection: { clientUrl: databaseUrl, driverOptions: NO_TIMEOUTS } };
  if (databaseUrl) {
    const pool = new ServerPool(poolSize);
    const heartbeat = new Heartbeat(databaseUrl, { onTimeout: () => pool.destroyConnections(), log });
    return { connection: { clientUrl: databaseUrl, driverOptions: pool.driverOptions }, pool, heartbeat };
  }
  // Loaded here, because a command on a PostgreSQL server ends before these modules would be loaded.
  const { openEmbeddedDatabase } = await import('../embedded-postgres/embedded-database.ts');
  const embedded = await openEmbeddedDatabase({
    folder: embeddedFolder(dataFolder),
    durable: embeddedFsync,
    requireOwnership: as === 'server',
    log,
  });
  const connection = {
    ...embedded.connection,
    ...(as === 'command' && { driverOptions: NO_STATEMENT_TIMEOUT }),
  };
  return { connection, embedded, migrationLock: join(dataFolder, 'migration.lock') };
}
