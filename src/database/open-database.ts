import { join } from 'node:path';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../embedded-postgres/embedded-database.ts';
import type { DatabaseEnvironment } from '../environment.ts';
import { Heartbeat } from './heartbeat.ts';
import { type DriverOptions, ServerPool } from './server-pool.ts';

/** Where the database is, as MikroORM's options say it. */
export type ConnectionOptions =
  | { clientUrl: string; driverOptions?: DriverOptions }
  | { host: string; port: number; user: string; password?: string; dbName: string; driverOptions?: DriverOptions };

export interface OpenDatabase {
  readonly connection: ConnectionOptions;
  /** The embedded database, where it is that. */
  readonly embedded?: EmbeddedDatabase;
  /** A server's connections to a PostgreSQL of its own. */
  readonly pool?: ServerPool;
  readonly heartbeat?: Heartbeat;
  /** The file to lock while migrating the embedded database: its connections share one session, and so its locks. */
  readonly migrationLock?: string;
}

type Wanted = Pick<DatabaseEnvironment, 'databaseUrl' | 'dataFolder'> &
  Partial<Pick<DatabaseEnvironment, 'embeddedFsync'>> & { readonly poolSize?: number };

/** A migration, or a seed, may take its time; text, because the driver takes the number 0 for none given. */
const NO_LIMIT: DriverOptions = { statement_timeout: '0' };

export const embeddedFolder = (dataFolder: string): string => join(dataFolder, 'postgres');

/**
 * Finds the PostgreSQL of the environment, or opens the embedded one in the data folder. A server owns that; a command
 * shares it with the server that has it, if one has.
 */
export async function openDatabase(
  { databaseUrl, dataFolder, embeddedFsync = true, poolSize = 10 }: Wanted,
  as: 'server' | 'command',
  log: (line: string) => void = () => {},
): Promise<OpenDatabase> {
  if (databaseUrl && as === 'command') return { connection: { clientUrl: databaseUrl } };
  if (databaseUrl) {
    const pool = new ServerPool(poolSize);
    const heartbeat = new Heartbeat(databaseUrl, { onSilence: () => pool.cut(), log });
    return { connection: { clientUrl: databaseUrl, driverOptions: pool.driverOptions }, pool, heartbeat };
  }
  const embedded = await openEmbeddedDatabase({
    folder: embeddedFolder(dataFolder),
    durable: embeddedFsync,
    requireOwnership: as === 'server',
    log,
  });
  const connection = { ...embedded.connection, ...(as === 'command' && { driverOptions: NO_LIMIT }) };
  return { connection, embedded, migrationLock: join(dataFolder, 'migration.lock') };
}
