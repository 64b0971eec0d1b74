import { mkdirSync } from 'node:fs';
import type { Options } from '@mikro-orm/core';
import { PgliteDriver } from '@mikro-orm/pglite';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { DatabaseEnvironment } from '../environment.ts';

/** How to reach the database: the PostgreSQL of the environment, or the embedded one in the data folder. */
export function connection({ databaseUrl, dataFolder }: DatabaseEnvironment): Partial<Options> {
  if (databaseUrl) return { driver: PostgreSqlDriver, clientUrl: databaseUrl };
  mkdirSync(dataFolder, { recursive: true });
  return { driver: PgliteDriver, dbName: 'postgres', driverOptions: { dataDir: `${dataFolder}/postgres` } };
}
