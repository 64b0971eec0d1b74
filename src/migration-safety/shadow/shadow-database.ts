import { type IMigrator, MikroORM, type Options } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { type Catalog, readCatalog } from '../catalog/catalog.ts';
import type { MigrationFile } from '../history/migration-file.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { readSettings, type Settings } from '../settings.ts';
import { openMemoryEngine } from './memory-engine.ts';
import { openPackedDatabase, packDatabase } from './packed-databases.ts';

/** A throwaway database, on which history is replayed. */
export interface ShadowDatabase {
  migrator: IMigrator;
  driver: AbstractSqlDriver;
  query: (sql: string) => Promise<Record<string, unknown>[]>;
  catalog: () => Promise<Catalog>;
  /** Keeps a copy under this name. */
  pack: (name: string) => Promise<void>;
  close: () => Promise<void>;
}

/** Opens an empty shadow database with the migrations of this migrator, or a copy of one that was packed under a name. */
export async function openShadowDatabase(migrator: MigratorParts, packed?: string): Promise<ShadowDatabase> {
  const extensions = await extensionsOf(await migrator.readMigrations());
  const pglite = (packed && (await openPackedDatabase(packed, extensions))) || (await openMemoryEngine(extensions));
  const orm = await MikroORM.init({
    ...(await sharedOptions(migrator)),
    driver: (await import('@mikro-orm/pglite')).PgliteDriver,
    dbName: 'memory://',
    driverOptions: { pglite },
  } as Options);
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
    pack: (name) => packDatabase(name, pglite),
    close: async () => {
      await orm.close(true);
      await pglite.close();
      // MikroORM binds the prototypes of entities to the ORM that was opened last.
      migrator.driver.getMetadata().decorate(migrator.driver.createEntityManager());
    },
  };
}

/** The options of the project but those of its connection: data migrations use its entities and its entity manager. */
async function sharedOptions({ config, options, extension }: MigratorParts): Promise<Partial<Options>> {
  const all = config.getAll() as unknown as Record<string, unknown>;
  const shared = Object.fromEntries(Object.entries(all).filter(([name]) => !OF_CONNECTION.has(name)));
  return {
    ...shared,
    discovery: { ...config.get('discovery'), warnWhenNoEntities: false, skipSyncDiscovery: true },
    preferTs: config.get('preferTs') ?? true,
    debug: false,
    extensions: [extension] as never,
    migrations: {
      ...options,
      silent: true,
      snapshot: false,
      safety: { lock: 'none', embedded: true, attempts: 1 },
    } as never,
  };
}

const OF_CONNECTION = new Set([
  'driver',
  'driverOptions',
  'clientUrl',
  'dbName',
  'host',
  'port',
  'user',
  'password',
  'replicas',
  'pool',
  'ensureDatabase',
  'onQuery',
  'onCreateConnection',
  'onReserveConnection',
  'sessionContext',
  'schemaGenerator',
  'seeder',
  'logger',
  'loggerFactory',
  'metadataCache',
  'resultCache',
]);

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
