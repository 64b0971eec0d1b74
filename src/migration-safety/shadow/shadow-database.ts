import { type IMigrator, MikroORM, type Options } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { bindEntities } from '../apply/past-entities.ts';
import { type Catalog, readCatalog } from '../catalog/catalog.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';
import { readSettings, type Settings } from '../settings.ts';
import type { Execute, Row } from '../sql/execute.ts';
import { concernsExtension, readExtensions } from './extensions.ts';
import { openMemoryEngine } from './memory-engine.ts';
import { openPackedDatabase, packDatabase } from './packed-databases.ts';
import { createServerDatabase } from './server-database.ts';

/** A throwaway database, on which history is replayed. */
export interface ShadowDatabase {
  migrator: IMigrator;
  driver: AbstractSqlDriver;
  query: Execute;
  catalog: () => Promise<Catalog>;
  /** The extensions that the engine lacks, which are left out. */
  missing: string[];
  /** Keeps a copy under this name. */
  pack: (name: string) => Promise<void>;
  close: () => Promise<void>;
}

/** Opens an empty shadow database with the migrations of this migrator, or a copy of one that was packed under a name. */
export async function openShadowDatabase(migrator: MigratorParts, packed?: string): Promise<ShadowDatabase> {
  const place = await openPlace(migrator, packed);
  let orm: MikroORM;
  try {
    orm = await MikroORM.init({ ...sharedOptions(migrator), ...place.options } as Options);
  } catch (error) {
    await place.close();
    throw error;
  }
  const driver = orm.driver as unknown as AbstractSqlDriver;
  leaveOut(place.missing, driver);
  const execute = place.execute ?? ((sql) => driver.getConnection().execute<Row[]>(sql));
  const query = async (sql: string) => (concernsExtension(sql, place.missing) ? [] : execute(sql));
  const shadowMigrator = orm.migrator as IMigrator & { settings: Settings };
  // A replay must not stop at what the live database was allowed to do, and needs no lock.
  shadowMigrator.settings = {
    ...readSettings({ lock: 'none', embedded: true, attempts: 1, outOfOrder: 'allow' }, {}),
    preflight: false,
    renames: migrator.settings.renames,
  };
  explainFailures(place.missing, shadowMigrator);
  return {
    migrator: shadowMigrator,
    driver,
    query,
    catalog: () => readCatalog(query, trackingTable(migrator)),
    missing: place.missing,
    pack: place.pack,
    close: async () => {
      await orm.close(true);
      await place.close();
      bindEntities(migrator.driver);
    },
  };
}

interface Place extends Pick<ShadowDatabase, 'missing' | 'pack' | 'close'> {
  options: Partial<Options>;
  /** A shorter way to the database than through MikroORM's driver. */
  execute?: Execute;
}

/** A database on the server of MIGRATION_SHADOW_URL, or else in memory. */
async function openPlace(migrator: MigratorParts, packed: string | undefined): Promise<Place> {
  const { shadowUrl, connectionOf } = migrator.settings;
  if (shadowUrl) {
    const { PostgreSqlDriver } = await import('@mikro-orm/postgresql');
    const { connection, drop } = await createServerDatabase(shadowUrl, connectionOf);
    const options = { driver: PostgreSqlDriver, ...connection } as unknown as Partial<Options>;
    return { options, missing: [], pack: async () => {}, close: drop };
  }
  const { PgliteDriver } = await import('@mikro-orm/pglite');
  const { available, missing } = await readExtensions(await migrator.readMigrations());
  if (missing.length > 0) migrator.log(leftOut(missing));
  const pglite = (packed && (await openPackedDatabase(packed, available))) || (await openMemoryEngine(available));
  return {
    options: { driver: PgliteDriver, dbName: 'memory://', driverOptions: { pglite } } as unknown as Partial<Options>,
    // In one message of the protocol; the driver sends five.
    execute: async (sql) => ((await pglite.exec(sql)).at(-1)?.rows ?? []) as Row[],
    missing,
    pack: (name) => packDatabase(name, pglite),
    close: () => pglite.close(),
  };
}

const leftOut = (missing: string[]) =>
  `The in-memory engine lacks ${missing.length === 1 ? 'the extension' : 'the extensions'} ${missing.join(', ')}, so the proof leaves ${missing.length === 1 ? 'it' : 'them'} out. Set MIGRATION_SHADOW_URL to a server that has ${missing.length === 1 ? 'it' : 'them'} to include ${missing.length === 1 ? 'it' : 'them'}.`;

/** Skips the statements that concern these extensions. */
function leaveOut(missing: string[], driver: AbstractSqlDriver): void {
  if (missing.length === 0) return;
  const connection = driver.getConnection();
  const execute = connection.execute.bind(connection) as (...args: unknown[]) => Promise<unknown>;
  const skipping = async (...args: unknown[]) =>
    typeof args[0] === 'string' && concernsExtension(args[0], missing) ? [] : execute(...args);
  Object.assign(connection, { execute: skipping });
}

/** What fails without an extension says so. */
function explainFailures(missing: string[], migrator: IMigrator): void {
  if (missing.length === 0) return;
  for (const method of ['up', 'down'] as const) {
    const run = migrator[method].bind(migrator);
    migrator[method] = async (options) => {
      try {
        return await run(options);
      } catch (error) {
        if (error instanceof MigrationProblem) error.message += `\n${leftOut(missing)}`;
        throw error;
      }
    };
  }
}

/** The options of the project but those of its connection: data migrations use its entities and its entity manager. */
function sharedOptions({ config, options, extension }: MigratorParts): Partial<Options> {
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
