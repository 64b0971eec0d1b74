import type { Method, MigrationFile } from '../history/migration-file.ts';
import { databaseMessage, type ErrorLike, MigrationProblem, sqlState } from '../problems.ts';
import { excerpt } from '../sql/excerpt.ts';
import { onlyOutsideTransaction, type Statement } from '../sql/statements.ts';
import { lostARace } from './retries.ts';

/** A statement that the database refused: which one, where in it, and what to do. */
export class StatementFailed extends MigrationProblem {
  readonly where: string;

  constructor(migration: MigrationFile, method: Method, statements: Statement[], index: number, cause: unknown) {
    const { sql } = statements[index] as Statement;
    const where = `${migration.name} (${method}), statement ${index + 1} of ${statements.length}`;
    const state = sqlState(cause);
    const advice = adviceFor[state ?? ''] ?? adviceFor[(state ?? '').slice(0, 2)];
    super(
      lostARace(cause) ? 'table-busy' : 'failed',
      [
        `${where} failed: ${databaseMessage(cause)}${state ? ` (${state})` : ''}`,
        ...excerpt(sql, pointAt(cause)),
        ...details(cause),
        ...(advice ? [advice] : []),
        remains(migration, statements, index),
      ].join('\n'),
      { cause },
    );
    this.where = where;
  }
}

/** For a statement that PostgreSQL refuses inside a transaction block. */
export const notInATransaction = (name: string, statement: Statement) =>
  new MigrationProblem(
    'not-in-a-transaction',
    [
      `${name}: "${onlyOutsideTransaction(statement)}" can not run inside a transaction.`,
      ...excerpt(statement.sql),
      'Move it to a migration of its own that says: override isTransactional() { return false; }',
      'Nothing was changed.',
    ].join('\n'),
  );

/** What to do, by SQLSTATE or its class. */
const adviceFor: Record<string, string> = {
  '55P03':
    'Somebody held the table for longer than the migration may wait. Try again when it is quiet, look who it is (select * from pg_stat_activity), or give the migration a lockTimeout.',
  '57014':
    'The statement ran into MIGRATION_STATEMENT_TIMEOUT, or somebody cancelled it. Give the migration a statementTimeout, or do the work in smaller steps.',
  '40P01': 'The migration and another transaction waited for each other. Try again when it is quiet.',
  '23502': 'Rows without a value are in the way. Fill them first, in a migration of their own.',
  '23503': 'Rows that refer to nothing are in the way. Repair or delete them first.',
  '23505': 'Rows with the same key are in the way. Make them different first.',
  '23514': 'Rows that violate the check are in the way. Repair them first.',
  '42601': 'PostgreSQL does not understand the statement. Look at the caret.',
  '42501': 'The user of the connection may not do this. MIGRATION_DATABASE_URL can name one that may.',
  '42P01':
    'The table does not exist at this point of history. Look at the order of the migrations: npm run migration status',
  '42P07': 'It exists already: made by hand, or left by a migration that failed half way outside a transaction.',
  '42703': 'The column does not exist at this point of history.',
  '53': 'The server ran out of something (disk, memory, connections).',
  '08': 'The connection was lost.',
};

function pointAt(cause: unknown): number | undefined {
  for (let e = cause as ErrorLike | undefined, depth = 0; e && depth < 5; e = e.cause as ErrorLike, depth++) {
    if (e.position) return Number(e.position) - 1;
  }
  return undefined;
}

function details(cause: unknown): string[] {
  const { table, detail, hint } = cause as ErrorLike;
  return [table && `Table: ${table}`, detail && `Detail: ${detail}`, hint && `Hint: ${hint}`].filter(
    (line): line is string => Boolean(line),
  );
}

function remains(migration: MigrationFile, statements: Statement[], index: number): string {
  if (migration.transactional)
    return 'The migration was rolled back: nothing of it remains. Those before it stay applied.';
  if (index === 0) return 'It was the first statement, outside a transaction: nothing of this migration remains.';
  return `The migration runs outside a transaction: its first ${index} of ${statements.length} statements stay done, and it is not recorded. Once the cause is gone, migration:up begins it again, and passes over what is there.`;
}
