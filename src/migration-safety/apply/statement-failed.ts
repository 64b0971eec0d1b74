import type { Method, MigrationFile } from '../history/migration-file.ts';
import { databaseMessage, type ErrorLike, MigrationProblem, sqlState } from '../problems.ts';
import { excerpt } from '../sql/excerpt.ts';
import { isConcurrent, onlyOutsideTransaction, type Statement } from '../sql/statements.ts';
import { isLockConflict } from './retries.ts';

/** A statement that failed: which one, where in it, what to do, and what remains of the migration. */
export class StatementFailed extends MigrationProblem {
  constructor(
    readonly where: string,
    sql: string | undefined,
    cause: unknown,
    remainder: string,
  ) {
    const state = sqlState(cause);
    const advice = ADVICE[state ?? ''] ?? ADVICE[(state ?? '').slice(0, 2)];
    super(
      isLockConflict(cause) ? 'table-busy' : 'failed',
      [
        `${where} failed: ${databaseMessage(cause)}${state ? ` (${state})` : ''}`,
        ...(sql ? excerpt(sql, positionOf(cause)) : []),
        ...details(cause),
        ...(advice ? [advice] : []),
        remainder,
      ].join('\n'),
      { cause },
    );
  }
}

/** For one of the statements that a migration adds. `invalidIndex` is the index that it left half built. */
export function statementFailed(
  migration: MigrationFile,
  method: Method,
  statements: Statement[],
  index: number,
  cause: unknown,
  invalidIndex?: string,
): StatementFailed {
  const where = `${migration.name} (${method}), statement ${index + 1} of ${statements.length}`;
  const { sql } = statements[index] as Statement;
  return new StatementFailed(where, sql, cause, remainder(migration, statements, index, invalidIndex));
}

/** For code of a migration that throws; `sql` is the query that failed in it, if it was one of this.execute(). */
export function codeFailed(
  migration: MigrationFile,
  method: Method,
  cause: unknown,
  { sql, usesEntities }: { sql: string | undefined; usesEntities: boolean },
): MigrationProblem {
  if (cause instanceof MigrationProblem) return cause;
  const where = `${migration.name} (${method})${sql ? ', this.execute(…)' : ''}`;
  const left = migration.transactional
    ? ROLLED_BACK
    : 'The migration runs outside a transaction: what it did before this stays done, and it is not recorded.';
  return new StatementFailed(where, sql, cause, usesEntities && !sql ? `${IN_SQL}\n${left}` : left);
}

const IN_SQL =
  "The entities are those of today, on the tables of this point of history. Where they do not fit, write the statement in SQL: await this.execute('…'), or this.addSql('…').";

/** For a statement that PostgreSQL refuses inside a transaction block. */
export const notInATransaction = (name: string, statement: Statement) =>
  new MigrationProblem(
    'not-in-a-transaction',
    [
      `${name}: "${onlyOutsideTransaction(statement)}" cannot run inside a transaction.`,
      ...excerpt(statement.sql),
      'Move it to a migration of its own that says: override isTransactional() { return false; }',
      'Nothing was changed.',
    ].join('\n'),
  );

/** By SQLSTATE or its class. */
const ADVICE: Record<string, string> = {
  '55P03':
    'Another transaction held the table for longer than the lock timeout. Try again at a quieter time, find the transaction (select * from pg_stat_activity), or give the migration a lockTimeout.',
  '57014':
    'The statement exceeded MIGRATION_STATEMENT_TIMEOUT or was cancelled. Give the migration a statementTimeout, or do the work in smaller steps.',
  '40P01': 'The migration and another transaction waited for each other. Try again at a quieter time.',
  '23502': 'Some rows have no value. Fill them first, in a migration of their own.',
  '23503': 'Some rows refer to rows that do not exist. Repair or delete them first.',
  '23505': 'Some rows have the same key. Make them different first.',
  '23514': 'Some rows violate the check. Repair them first.',
  '42601': 'The statement has a syntax error at the caret.',
  '42501': 'The user of the connection lacks the permission. MIGRATION_DATABASE_URL can name another user.',
  '42P01':
    'The table does not exist at this point of history. Check the order of the migrations: npm run migration status',
  '42P07': 'It already exists: created by hand, or left by a migration that failed outside a transaction.',
  '42703': 'The column does not exist at this point of history.',
  '53': 'The server ran out of a resource (disk, memory, connections).',
  '08': 'The connection was lost.',
};

function positionOf(cause: unknown): number | undefined {
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

function remainder(migration: MigrationFile, statements: Statement[], index: number, invalidIndex?: string): string {
  if (migration.transactional) return ROLLED_BACK;
  const left = invalidIndex
    ? `\nThe index ${invalidIndex} remains, INVALID: no query uses it, but every write maintains it, and a unique one still refuses rows. migration:up drops it before it builds it again; to be rid of it now: drop index concurrently ${invalidIndex};`
    : '';
  if (index === 0) {
    const nothing = left || isConcurrent(statements[0] as Statement) ? '' : ': nothing of this migration remains';
    return `It was the first statement, outside a transaction${nothing}.${left}`;
  }
  return `The migration runs outside a transaction: its first ${index} of ${statements.length} statements stay done, and it is not recorded. After the cause is fixed, migration:up starts it again and skips what already exists.${left}`;
}

export const ROLLED_BACK =
  'The migration was rolled back: nothing of it remains. The migrations before it stay applied.';
