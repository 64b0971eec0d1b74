import { mkdirSync } from 'node:fs';
import { PgliteDriver } from '@mikro-orm/pglite';
import { type Options, PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { DatabaseEnvironment } from '../environment.ts';

/** How to reach the database: the PostgreSQL of the environment, or the embedded one in the data folder. */
export function connection({ databaseUrl, dataFolder }: DatabaseEnvironment): Partial<Options> {
  if (databaseUrl) return { driver: PostgreSqlDriver, clientUrl: databaseUrl };
  mkdirSync(dataFolder, { recursive: true });
  const driver = PgliteDriver as unknown as typeof PostgreSqlDriver; // the same SQL, with another wire under it
  return { driver, dbName: 'postgres', driverOptions: { dataDir: `${dataFolder}/postgres` } };
}
