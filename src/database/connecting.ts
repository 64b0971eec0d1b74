import { join } from 'node:path';
import type { DatabaseEnvironment } from '../environment.ts';
import { type EmbeddedDatabase, openEmbedded } from './embedded/embedded.ts';

/** Where the database is, as MikroORM's options say it. */
export type ConnectionOptions =
  | { clientUrl: string; driverOptions?: typeof LIMITS }
  | { host: string; port: number; user: string; password?: string; dbName: string };

export interface Reached {
  readonly connection: ConnectionOptions;
  /** The embedded database, where it is that. */
  readonly embedded?: EmbeddedDatabase;
  /** The file to lock while migrating the embedded database: its connections share one session, and so its locks. */
  readonly migrationLock?: string;
}

/** Milliseconds. No request is worth more of a server's database; the embedded one has limits of its own. */
const LIMITS = { statement_timeout: 10_000, connectionTimeoutMillis: 5_000 };

export const embeddedFolder = (dataFolder: string): string => join(dataFolder, 'postgres');

/**
 * Finds the PostgreSQL of the environment, or opens the embedded one in the data folder. A server owns that; a command
 * shares it with the server that has it, if one has.
 */
export async function reachDatabase(
  { databaseUrl, dataFolder }: DatabaseEnvironment,
  as: 'server' | 'command',
  log: (line: string) => void = () => {},
): Promise<Reached> {
  if (databaseUrl) return { connection: { clientUrl: databaseUrl, ...(as === 'server' && { driverOptions: LIMITS }) } };
  const embedded = await openEmbedded({
    folder: embeddedFolder(dataFolder),
    use: as === 'server' ? 'own' : 'share',
    log,
  });
  return { connection: embedded.connection, embedded, migrationLock: join(dataFolder, 'migration.lock') };
}
