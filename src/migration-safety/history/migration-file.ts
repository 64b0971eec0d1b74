import { createHash } from 'node:crypto';
import type { Migration, Query } from '@mikro-orm/migrations';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { MigrationProblem } from '../problems.ts';
import { milliseconds } from '../settings.ts';
import { canonicalSql, parseStatements, type Statement } from '../sql/statements.ts';

export type Method = 'up' | 'down';

/** What a migration may say about itself, as plain properties, so that it need not import anything of ours. */
export interface Declarations {
  /** Why a rule does not apply here: { 'drop-column': 'Nothing has read it since 1.4.' }. */
  safeBecause?: Record<string, string>;
  /** How long a statement of this migration may wait for a table, and run: '10s'. Overrides the environment. */
  lockTimeout?: string;
  statementTimeout?: string;
}

/** A migration as it is written, read without a database: what it would send. */
export interface MigrationFile {
  name: string;
  path: string | undefined;
  transactional: boolean;
  up: Statement[];
  down: Statement[];
  /** Its code asks the database and decides from the answer: what it sends is known only while it runs. */
  dynamic: Record<Method, boolean>;
  checksum: string;
  /** What the checksum is of, as text a person can compare. */
  source: string;
  safeBecause: Record<string, string>;
  lockTimeout: number | undefined;
  statementTimeout: number | undefined;
  /** It has no way back: no `down`, or one that throws. */
  irreversible: boolean;
}

export interface DiscoveredMigration {
  name: string;
  path?: string;
  create: () => Promise<Migration>;
}

/** Reads one migration by running its `up` and `down` against a driver that refuses to reach a database. */
export async function readMigration(file: DiscoveredMigration, driver: AbstractSqlDriver): Promise<MigrationFile> {
  const up = await record(file, 'up', driver);
  const down = await record(file, 'down', driver);
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

/** The text of a query, whatever it was given as. */
export function sqlOf(query: Query, driver: AbstractSqlDriver): string {
  if (typeof query === 'string') return query;
  const raw = 'toRaw' in query && typeof query.toRaw === 'function' ? query.toRaw() : query;
  const { sql, params } = raw as { sql: string; params?: unknown[] };
  return driver.getPlatform().formatQuery(sql, (params ?? []) as readonly unknown[]);
}

interface Recording {
  queries: string[];
  statements: Statement[];
  dynamic: boolean;
  irreversible: boolean;
}

class NeedsTheDatabase extends Error {}

async function record(file: DiscoveredMigration, method: Method, driver: AbstractSqlDriver): Promise<Recording> {
  const migration = await create(file);
  const executed: string[] = [];
  let dynamic = false;
  migration.execute = async (query) => {
    dynamic = true;
    executed.push(sqlOf(query, driver));
    return [];
  };
  migration.getEntityManager = () => {
    throw new NeedsTheDatabase();
  };
  Object.assign(migration, { driver: unreachable(driver) });
  let irreversible = false;
  try {
    await migration[method]();
  } catch (error) {
    // After a question was answered with no rows, whatever goes wrong goes wrong because of that answer.
    if (error instanceof NeedsTheDatabase || dynamic) dynamic = true;
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
    `${file.name} can not be read: ${error instanceof Error ? error.message : error}${file.path ? `\n  ${file.path}` : ''}\nNothing was changed.`,
    { cause: error },
  );

/** The driver, minus everything that would talk to the database: reading a migration must not run it. */
function unreachable(driver: AbstractSqlDriver): AbstractSqlDriver {
  const harmless = new Set<PropertyKey>(['getPlatform', 'platform', 'config', 'getMetadata', 'metadata', 'then']);
  return new Proxy(driver, {
    get(target, key) {
      if (harmless.has(key)) {
        const value = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return () => {
        throw new NeedsTheDatabase();
      };
    },
  });
}

/**
 * A hash of what `up` sends, indifferent to layout, line endings and .ts against .js. Where the SQL depends on the
 * data, a hash of the code instead, reduced to what neither a formatter nor a compiler touches.
 */
function fingerprint(up: Recording, migration: Migration): { checksum: string; source: string } {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
  if (!up.dynamic) {
    const checksum = `sql:${hash(up.queries.map(canonicalSql).join(' ; '))}`;
    return { checksum, source: up.statements.map(({ sql }) => `${sql};`).join('\n') };
  }
  const source = migration.up.toString();
  const code = source.replace(/\/\*[\s\S]*?\*\/|(^|[^:'"`])\/\/[^\n]*/g, '$1').replace(/[\s;,()'"`]/g, '');
  return { checksum: `code:${hash(code)}`, source };
}
