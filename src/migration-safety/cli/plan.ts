import { chooseMigrations, findMigration, type History } from '../apply/targets.ts';
import { underNewNames } from '../history/integrity.ts';
import type { Method } from '../history/migration-file.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';
import { BLOCKED_BY, tableLocksOf } from '../sql/table-locks.ts';

export interface PlannedStatement {
  sql: string;
  locks: { table: string; lock: string; blocks: string; rows: number; size: string }[];
}

export interface PlannedMigration {
  name: string;
  method: Method;
  transactional: boolean;
  dynamic: boolean;
  /** It goes down and has no down: migration:down refuses it. */
  irreversible: boolean;
  statements: PlannedStatement[];
}

/**
 * What migration:up would run, or migration:down for a target that lies behind: every statement, the locks it takes, and
 * the sizes of the locked tables.
 */
export async function readPlan(migrator: MigratorParts, target = 'head'): Promise<PlannedMigration[]> {
  const files = await migrator.readMigrations();
  const executed = underNewNames(files, (await migrator.history()) ?? []).map(({ name }) => name);
  const history = { all: files.map(({ name }) => name), executed };
  const method = directionTo(target, history);
  const chosen = chooseMigrations(method, { to: target === '0' ? 'base' : target }, history).flatMap((name) => {
    const file = files.find((each) => each.name === name);
    if (!file) throw new MigrationProblem('missing', `${name} was applied, but its file is missing.`);
    return file;
  });
  const sizes = new Map<string, { rows: number; size: string } | undefined>();
  const sizeOf = async (table: string) => {
    if (!sizes.has(table)) sizes.set(table, await readSize(migrator, table));
    return sizes.get(table);
  };
  return Promise.all(
    chosen.map(async (migration) => ({
      name: migration.name,
      method,
      transactional: migration.transactional,
      dynamic: migration.dynamic[method],
      irreversible: method === 'down' && migration.irreversible,
      statements: await Promise.all(
        migration[method].map(async (statement) => {
          const locks = await Promise.all(
            tableLocksOf(statement).map(async ({ table, lock }) => ({ table, lock, size: await sizeOf(table) })),
          );
          return {
            sql: statement.sql,
            // A table without a size does not exist yet, so its lock blocks no query.
            locks: locks.flatMap(({ table, lock, size }) =>
              size ? [{ table, lock, blocks: BLOCKED_BY[lock], ...size }] : [],
            ),
          };
        }),
      ),
    })),
  );
}

/** Whether the target lies ahead of the database or behind it. */
function directionTo(target: string, { all, executed }: History): Method {
  if (target === 'head' || /^\+\d+$/.test(target)) return 'up';
  if (target === 'base' || target === '0' || /^-\d+$/.test(target)) return 'down';
  const name = findMigration(target, [...new Set([...all, ...executed])].sort(), 'migration:plan');
  return executed.includes(name) ? 'down' : 'up';
}

export function formatPlan(plan: PlannedMigration[], target = 'head'): string {
  if (plan.length === 0) return target === 'head' ? 'Nothing is pending.' : `The database is at ${target} already.`;
  return plan
    .map(({ name, method, transactional, dynamic, irreversible, statements }) => {
      const lines = statements.flatMap(({ sql, locks }) => [
        ...sql.split('\n').map((line) => `  ${line}`),
        ...locks.map((l) => `    -- ${l.lock} on ${l.table} (about ${l.rows} rows, ${l.size}): blocks ${l.blocks}`),
      ]);
      const note = [
        ...(dynamic ? ['  -- and statements that its code chooses from the data'] : []),
        ...(irreversible ? ['  -- it has no down: migration:down refuses it'] : []),
      ];
      return [
        `${name} (${method === 'down' ? 'down, ' : ''}${transactional ? 'one transaction' : 'outside a transaction'})`,
        ...lines,
        ...note,
      ].join('\n');
    })
    .join('\n\n');
}

async function readSize(migrator: MigratorParts, table: string): Promise<{ rows: number; size: string } | undefined> {
  try {
    const [row] = await migrator.driver
      .getConnection()
      .execute<{ rows: number; size: string }[]>(
        `select greatest(c.reltuples, 0)::bigint::int8::float8 as rows, pg_size_pretty(pg_table_size(c.oid)) as size from pg_class c where c.oid = to_regclass(?)`,
        [table],
      );
    return row;
  } catch {
    // Without a database, the plan has no sizes.
    return undefined;
  }
}
