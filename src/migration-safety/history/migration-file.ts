import { createHash } from 'node:crypto';
import type { Migration, Query } from '@mikro-orm/migrations';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { MigrationProblem } from '../problems.ts';
import { milliseconds } from '../settings.ts';
import { canonicalSql, parseStatements, type Statement } from '../sql/statements.ts';

export type Method = 'up' | 'down';

/** What a migration may declare, as plain properties, so that it need not import this module. */
export interface Declarations {
  /** Why a rule does not apply here: { 'drop-column': 'Nothing has read it since 1.4.' }. */
  safeBecause?: Record<string, string>;
  /** How long a statement of this migration may wait for a table lock, and may run: '10s'. Overrides the environment. */
  lockTimeout?: string;
  statementTimeout?: string;
}

/** A migration file, read without a database, with the SQL that it would run. */
export interface MigrationFile {
  name: string;
  path: string | undefined;
  transactional: boolean;
  up: Statement[];
  down: Statement[];
  /** The code queries the database and depends on the result: its SQL is known only while it runs. */
  dynamic: Record<Method, boolean>;
  checksum: string;
  /** The text behind the checksum, readable in a diff. */
  source: string;
  safeBecause: Record<string, string>;
  lockTimeout: number | undefined;
  statementTimeout: number | undefined;
  /** There is no `down`, or it throws. */
  irreversible: boolean;
}

export interface DiscoveredMigration {
  name: string;
  path?: string;
  create: () => Promise<Migration>;
}

/** Reads one migration by running its `up` and `down` against a driver that can't reach a database. */
export async function readMigration(file: DiscoveredMigration, driver: AbstractSqlDriver): Promise<MigrationFile> {
  const up = await recordQueries(file, 'up', driver);
  const down = await recordQueries(file, 'down', driver);
  const migration = await file.create();
  const declared = migration as Migration & Declarations;
  const timeout = (text: string | undefined, property: string) =>
    text === undefined ? undefined : milliseconds(text, `${property} of ${file.name}`);
  return {
    name: file.name,
    path: file.path,
    transactional: migration.isTransactional(),
    up: up.statements,
    down: down.statements,
    dynamic: { up: up.dynamic, down: down.dynamic },
    ...fingerprint(up, migration),
    safeBecause: declared.safeBecause ?? {},
    lockTimeout: timeout(declared.lockTimeout, 'lockTimeout'),
    statementTimeout: timeout(declared.statementTimeout, 'statementTimeout'),
    irreversible: down.irreversible,
  };
}

/** The SQL of a query, in any form that addSql() accepts. */
export function sqlOf(query: Query, driver: AbstractSqlDriver): string {
  if (typeof query === 'string') return query;
  const raw = 'toRaw' in query && typeof query.toRaw === 'function' ? query.toRaw() : query;
  const { sql, params } = raw as { sql: string; params?: unknown[] };
  return driver.getPlatform().formatQuery(sql, (params ?? []) as readonly unknown[]);
}

interface RecordedQueries {
  queries: string[];
  statements: Statement[];
  dynamic: boolean;
  irreversible: boolean;
}

class DatabaseNeeded extends Error {}

async function recordQueries(
  file: DiscoveredMigration,
  method: Method,
  driver: AbstractSqlDriver,
): Promise<RecordedQueries> {
  const migration = await create(file);
  const executed: string[] = [];
  let dynamic = false;
  migration.execute = async (query) => {
    dynamic = true;
    executed.push(sqlOf(query, driver));
    return [];
  };
  migration.getEntityManager = () => {
    throw new DatabaseNeeded();
  };
  Object.assign(migration, { driver: offline(driver) });
  let irreversible = false;
  try {
    await migration[method]();
  } catch (error) {
    // The queries so far returned no rows, so an error after one is likely caused by that.
    if (error instanceof DatabaseNeeded || dynamic) dynamic = true;
    else if (method === 'down') irreversible = true;
    else throw unreadable(file, error);
  }
  const queries = [...executed, ...migration.getQueries().map((query) => sqlOf(query, driver))];
  return { queries, statements: queries.flatMap(parseStatements), dynamic, irreversible };
}

async function create(file: DiscoveredMigration): Promise<Migration> {
  try {
    return await file.create();
  } catch (error) {
    throw unreadable(file, error);
  }
}

const unreadable = (file: DiscoveredMigration, error: unknown) =>
  new MigrationProblem(
    'unreadable',
    `${file.name} cannot be read: ${error instanceof Error ? error.message : error}${file.path ? `\n  ${file.path}` : ''}${isMissingImport(error) ? '\nIf it uses an entity that is gone, write its statements in SQL: this.execute(…), this.addSql(…).' : ''}\nNothing was changed.`,
    { cause: error },
  );

const isMissingImport = (error: unknown) =>
  error instanceof Error && /Cannot find module|does not provide an export named/.test(error.message);

/** The driver without everything that would use the database: reading a migration must not run it. */
function offline(driver: AbstractSqlDriver): AbstractSqlDriver {
  return new Proxy(driver, {
    get(target, key) {
      if (OFFLINE_PROPERTIES.has(key)) {
        const value = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return () => {
        throw new DatabaseNeeded();
      };
    },
  });
}

/**
 * A hash of the SQL of `up`, independent of layout, line endings and .ts or .js. If the SQL depends on data, a hash of
 * the code instead, reduced to what neither a formatter nor a compiler changes.
 */
function fingerprint(up: RecordedQueries, migration: Migration): { checksum: string; source: string } {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
  if (!up.dynamic) {
    const checksum = `sql:${hash(up.queries.map(canonicalSql).join(' ; '))}`;
    return { checksum, source: up.statements.map(({ sql }) => `${sql};`).join('\n') };
  }
  const source = migration.up.toString();
  const code = source.replace(/\/\*[\s\S]*?\*\/|(^|[^:'"`])\/\/[^\n]*/g, '$1').replace(/[\s;,()'"`]/g, '');
  return { checksum: `code:${hash(code)}`, source };
}

/** The properties of a driver that do not use the database. */
const OFFLINE_PROPERTIES = new Set<PropertyKey>([
  'getPlatform',
  'platform',
  'config',
  'getMetadata',
  'metadata',
  'then',
]);
