import type { MigratorParts } from '../migrator-parts.ts';
import { BLOCKED_BY, tableLocksOf } from '../sql/table-locks.ts';

export interface PlannedStatement {
  sql: string;
  locks: { table: string; lock: string; blocks: string; rows: number; size: string }[];
}

export interface PlannedMigration {
  name: string;
  transactional: boolean;
  dynamic: boolean;
  statements: PlannedStatement[];
}

/** What migration:up would run: every statement, the locks it takes, and the sizes of the locked tables. */
export async function readPlan(migrator: MigratorParts): Promise<PlannedMigration[]> {
  const executed = new Set(((await migrator.history()) ?? []).map(({ name }) => name));
  const pending = (await migrator.readMigrations()).filter(({ name }) => !executed.has(name));
  const sizes = new Map<string, { rows: number; size: string } | undefined>();
  const sizeOf = async (table: string) => {
    if (!sizes.has(table)) sizes.set(table, await readSize(migrator, table));
    return sizes.get(table);
  };
  return Promise.all(
    pending.map(async ({ name, transactional, dynamic, up }) => ({
      name,
      transactional,
      dynamic: dynamic.up,
      statements: await Promise.all(
        up.map(async (statement) => {
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

export function formatPlan(plan: PlannedMigration[]): string {
  if (plan.length === 0) return 'Nothing is pending.';
  return plan
    .map(({ name, transactional, dynamic, statements }) => {
      const lines = statements.flatMap(({ sql, locks }) => [
        ...sql.split('\n').map((line) => `  ${line}`),
        ...locks.map((l) => `    -- ${l.lock} on ${l.table} (about ${l.rows} rows, ${l.size}): blocks ${l.blocks}`),
      ]);
      const note = dynamic ? ['  -- and statements that its code chooses from the data'] : [];
      return [`${name} (${transactional ? 'one transaction' : 'outside a transaction'})`, ...lines, ...note].join('\n');
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
