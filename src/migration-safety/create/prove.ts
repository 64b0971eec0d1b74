import type { Catalog } from '../catalog/catalog.ts';
import type { PlannedMigration } from '../plan/operation.ts';
import { databaseMessage, MigrationProblem, sqlState } from '../problems.ts';
import { insertSampleRows } from '../shadow/sample-rows.ts';
import type { ShadowDatabase } from '../shadow/shadow-database.ts';
import { excerpt } from '../sql/excerpt.ts';
import type { Execute } from '../sql/execute.ts';
import { quotedTable } from '../sql/quote.ts';
import { parseStatements } from '../sql/statements.ts';
import { type Refutation, tryRoundTrip } from '../verify/round-trip.ts';

/** A statement of a migration that fails, with what the database says. */
class FailedStatement extends Error {
  constructor(
    readonly sql: string,
    override readonly cause: unknown,
  ) {
    super([...excerpt(sql), `  ${databaseMessage(cause)}`].join('\n'));
  }
}

/**
 * Runs the planned migrations up, down and up again on a database with the history, with rows in every table; returns what
 * proves them wrong. A table whose sample rows the change refuses, or whose values it does not keep, is emptied and all is
 * tried again: `migration:up` counts such rows in the real table. Nothing counts rows before `down`, so what `down` cannot
 * do with rows is logged. `onProved` gets the database in which they have run.
 */
export async function refute(
  planned: PlannedMigration[],
  expected: Catalog,
  trackingTable: string,
  openHistory: () => Promise<ShadowDatabase>,
  { log, onProved }: { log: (message: string) => void; onProved: (shadow: ShadowDatabase) => Promise<void> },
): Promise<Refutation | undefined> {
  const empty = new Set<string>();
  for (;;) {
    const shadow = await openHistory();
    try {
      const execute = shadow.query;
      await insertSampleRows(execute, trackingTable);
      for (const table of empty) await execute(`truncate ${table} cascade`);
      const found = await tryRoundTrip(
        planned.map((migration) => stepOf(migration, execute)),
        { execute, trackingTable, expected },
      );
      const refusing = found && refusingTables(found).filter((table) => !empty.has(table));
      if (!found) await onProved(shadow);
      if (!found || !refusing?.length) return found;
      if (found.phase === 'down') logLimits(found, refusing, log);
      for (const table of refusing) empty.add(table);
    } finally {
      await shadow.close();
    }
  }
}

const stepOf = ({ transactional, up, down }: PlannedMigration, execute: Execute) => ({
  up: () => run(up, transactional, execute),
  down: () => run(down, transactional, execute),
});

async function run(statements: string[], transactional: boolean, execute: Execute): Promise<void> {
  if (transactional) await execute('begin');
  for (const sql of statements) {
    try {
      await execute(sql);
    } catch (error) {
      if (transactional) await execute('rollback');
      throw new FailedStatement(sql, error);
    }
  }
  if (transactional) await execute('commit');
}

/** The tables whose rows are why: errors of class 22 (data) and 23 (constraints), and values that changed. */
function refusingTables({ error, details }: Refutation): string[] {
  if (error instanceof FailedStatement) {
    if (!/^2[23]/.test(sqlState(error.cause) ?? '')) return [];
    const { relation } = parseStatements(error.sql)[0]?.tree ?? {};
    return relation ? [quotedTable(relation)] : [];
  }
  const values = details.map((line) => /^table ((?:[^",:]|"(?:[^"]|"")*")+)[,:] /.exec(line)?.[1]);
  return values.every(Boolean) ? (values as string[]) : [];
}

/** What is not restored, but for values that the change does not keep: those are refused by up. */
function logLimits({ error, says, details }: Refutation, tables: string[], log: (message: string) => void): void {
  const limits = error ? details : details.filter((line) => /^table [^:]+, (column|constraint) /.test(line));
  if (limits.length > 0)
    log(`While there are rows in ${tables.join(', ')}, ${says}\n${limits.map((line) => `  ${line}`).join('\n')}`);
}

/** What could not be proved, as an error. */
export const unproved = ({ says, details }: Refutation) =>
  new MigrationProblem(
    'create-failed',
    `The change cannot be written as a migration that holds: ${says}\n${details.map((line) => `  ${line}`).join('\n')}\nMake part of it in a migration of its own: npx mikro-orm migration:create --blank. No file was written.`,
  );
