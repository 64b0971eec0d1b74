import { type Configuration, MikroORM } from '@mikro-orm/core';
import { type AbstractSqlDriver, DatabaseSchema } from '@mikro-orm/sql';
import type { MigrationFile } from '../history/migration-file.ts';
import { Migrator } from '../migrator.ts';
import { readSettings } from '../settings.ts';
import type { Catalog } from './catalog.ts';
import { readCatalog } from './catalog.ts';
import { openInMemory } from './memory-engine.ts';

/** A database in memory, with nothing to install and nothing to lose, for history to be replayed on. */
export interface Shadow {
  migrator: Migrator;
  driver: AbstractSqlDriver;
  ask: (sql: string) => Promise<Record<string, unknown>[]>;
  catalog: () => Promise<Catalog>;
  close: () => Promise<void>;
}

/** Opens one for the history of this migrator: the same folder of migrations, another database. */
export async function openShadow(migrator: Migrator): Promise<Shadow> {
  const { PgliteDriver } = await import('@mikro-orm/pglite');
  const { config, options } = migrator.parts;
  const pglite = await openInMemory(await extensionsOf(await migrator.readAll()));
  const orm = await MikroORM.init({
    driver: PgliteDriver,
    dbName: 'memory://',
    driverOptions: { pglite },
    entities: [],
    discovery: { warnWhenNoEntities: false },
    baseDir: config.get('baseDir'),
    preferTs: config.get('preferTs') ?? true,
    extensions: [Migrator],
    migrations: {
      ...options,
      silent: true,
      snapshot: false,
      safety: { lock: 'none', embedded: true, attempts: 1 },
    } as never,
  });
  const driver = orm.driver as unknown as AbstractSqlDriver;
  const ask = (sql: string) => driver.getConnection().execute<Record<string, unknown>[]>(sql);
  const replaying = orm.migrator as unknown as Migrator;
  // What was allowed once, in one database, must not stop a replay; and there is nobody to keep out.
  replaying.settings = {
    ...readSettings({ lock: 'none', embedded: true, attempts: 1, outOfOrder: 'allow' }, {}),
    inspect: false,
  };
  return {
    migrator: replaying,
    driver,
    ask,
    catalog: () => readCatalog(ask, trackingTable(migrator)),
    close: async () => {
      await orm.close(true);
      await pglite.close();
    },
  };
}

/** The tables of a database, as MikroORM compares them with entities. */
export function introspect(
  driver: AbstractSqlDriver,
  config: Configuration,
  schemas: string[],
): Promise<DatabaseSchema> {
  const { skipTables, skipViews } = config.get('schemaGenerator');
  return DatabaseSchema.create(
    driver.getConnection(),
    driver.getPlatform(),
    config,
    undefined,
    schemas,
    undefined,
    skipTables,
    skipViews,
  );
}

/** The bare name of the tracking table, which is nobody's business but ours. */
export const trackingTable = (migrator: Migrator) => migrator.parts.storage.getTableName().tableName;

/** The extensions that history creates and that come with PGlite; another one fails where it is created, by name. */
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
