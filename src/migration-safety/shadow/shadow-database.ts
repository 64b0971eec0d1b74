import { type IMigrator, MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { type Catalog, readCatalog } from '../catalog/catalog.ts';
import type { MigrationFile } from '../history/migration-file.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { readSettings, type Settings } from '../settings.ts';
import { openMemoryEngine } from './memory-engine.ts';

/** A throwaway database in memory, on which history is replayed. */
export interface ShadowDatabase {
  migrator: IMigrator;
  driver: AbstractSqlDriver;
  query: (sql: string) => Promise<Record<string, unknown>[]>;
  catalog: () => Promise<Catalog>;
  close: () => Promise<void>;
}

/** Opens an empty shadow database with the migrations of this migrator. */
export async function openShadowDatabase(migrator: MigratorParts): Promise<ShadowDatabase> {
  const { PgliteDriver } = await import('@mikro-orm/pglite');
  const { config, options } = migrator;
  const pglite = await openMemoryEngine(await extensionsOf(await migrator.readMigrations()));
  const orm = await MikroORM.init({
    driver: PgliteDriver,
    dbName: 'memory://',
    driverOptions: { pglite },
    entities: [],
    discovery: { warnWhenNoEntities: false },
    baseDir: config.get('baseDir'),
    preferTs: config.get('preferTs') ?? true,
    extensions: [migrator.extension],
    migrations: {
      ...options,
      silent: true,
      snapshot: false,
      safety: { lock: 'none', embedded: true, attempts: 1 },
    } as never,
  });
  const driver = orm.driver as unknown as AbstractSqlDriver;
  const query = (sql: string) => driver.getConnection().execute<Record<string, unknown>[]>(sql);
  const shadowMigrator = orm.migrator as IMigrator & { settings: Settings };
  // A replay must not stop at what the live database was allowed to do, and needs no lock.
  shadowMigrator.settings = {
    ...readSettings({ lock: 'none', embedded: true, attempts: 1, outOfOrder: 'allow' }, {}),
    preflight: false,
  };
  return {
    migrator: shadowMigrator,
    driver,
    query,
    catalog: () => readCatalog(query, trackingTable(migrator)),
    close: async () => {
      await orm.close(true);
      await pglite.close();
    },
  };
}

/** The name of the tracking table without its schema; the table is left out of comparisons. */
export const trackingTable = (migrator: MigratorParts) => migrator.storage.getTableName().tableName;

/** The extensions that the migrations create, of those that PGlite has; `create extension` fails for the others. */
async function extensionsOf(files: MigrationFile[]): Promise<Record<string, never>> {
  const names = files.flatMap(({ up }) =>
    up.flatMap(({ kind, tree }) => (kind === 'CreateExtensionStmt' ? [String(tree.extname)] : [])),
  );
  const found: Record<string, never> = {};
  for (const name of new Set(names)) {
    const module = await import(`@electric-sql/pglite/contrib/${name.replaceAll('-', '_')}`).catch(() => ({}));
    const extension = Object.values(module)[0];
    if (extension) found[name.replaceAll('-', '_')] = extension as never;
  }
  return found;
}
