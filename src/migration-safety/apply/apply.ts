import type { MigrationInfo } from '@mikro-orm/core';
import type { Migrator as StockMigrator } from '@mikro-orm/migrations';
import { runsAsCommand } from '../command-line.ts';
import { assertIntegrity, checkIntegrity, formatIntegrityFindings } from '../history/integrity.ts';
import type { Method, MigrationFile } from '../history/migration-file.ts';
import { lintBeforeRun } from '../lint/lint-before-run.ts';
import { isPglite, workLockDatabase } from '../lock/choose-lock.ts';
import type { MigrationLock } from '../lock/lock.ts';
import type { Migrator } from '../migrator.ts';
import { MigrationProblem } from '../problems.ts';
import { onlyOutsideTransaction } from '../sql/statements.ts';
import { refuseLosingDown } from './destructive-guards.ts';
import { withRetries } from './retries.ts';
import { type Run, tellRetry } from './runner.ts';
import { StatementFailed } from './statement-failed.ts';
import { chooseMigrations, refuseHalfSaid } from './targets.ts';
import { refuseRowsInTheWay } from './violating-rows.ts';

export type RunOptions = Parameters<StockMigrator['up']>[0];

/** Where a migration runs, when not in a transaction of its own in the schema of the connection. */
export interface Place {
  schema: string | undefined;
  transaction: unknown;
}

/**
 * Runs what the options choose, one migration at a time, each with its log row: what is done stays done when a later
 * one fails. Everything that can be refused is refused before, while nothing has been changed.
 */
export async function applyChosen(
  migrator: Migrator,
  method: Method,
  options: RunOptions,
  lock: MigrationLock,
): Promise<MigrationInfo[]> {
  if (runsAsCommand()) refuseHalfSaid(process.argv.slice(2));
  const targets =
    typeof options === 'string' || Array.isArray(options) ? { migrations: [options].flat() } : (options ?? {});
  const schema = targets.schema ?? migrator.parts.options.schema;
  const files = await migrator.readAll();
  const rows = (await migrator.history(schema)) ?? [];
  const history = { all: files.map((file) => file.name), executed: rows.map((row) => row.name) };
  const names = chooseMigrations(method, targets, history);
  const findings = checkIntegrity(files, rows);
  // Going back past a file that is gone is the one thing a missing file must stop when going down.
  assertIntegrity(findings, migrator.settings);
  for (const finding of findings) migrator.tell(formatIntegrityFindings([finding]));
  const chosen = names.map((name) => files.find((file) => file.name === name) as MigrationFile);
  refuseUnkeptTimeout(migrator, chosen);
  await refuseWhatHurts(migrator, method, chosen);
  const transaction = 'transaction' in targets ? targets.transaction : undefined;
  const done: MigrationInfo[] = [];
  for (const migration of chosen) {
    await lock.verify();
    done.push(await applyOne(migrator, method, migration, { schema, transaction }));
  }
  return done;
}

/** Nothing can interrupt an engine inside the process: it would run for as long as it likes, past its limit. */
function refuseUnkeptTimeout({ parts, settings, tell }: Migrator, chosen: MigrationFile[]): void {
  if (!isPglite(parts.driver)) return;
  const why = 'can not be kept: the database runs inside this process, where nothing can stop a statement';
  if (settings.statementTimeout > 0) {
    throw new MigrationProblem('bad-setting', `MIGRATION_STATEMENT_TIMEOUT ${why}. Nothing was changed.`);
  }
  for (const { name } of chosen.filter(({ statementTimeout }) => statementTimeout)) {
    tell(`${name}: its statementTimeout ${why}`);
  }
}

async function refuseWhatHurts({ parts, settings, tell }: Migrator, method: Method, chosen: MigrationFile[]) {
  for (const migration of chosen) {
    const outsider =
      migration.transactional && migration[method].find((statement) => onlyOutsideTransaction(statement));
    if (outsider) throw StatementFailed.outsider(migration.name, outsider);
  }
  if (method === 'down') return refuseLosingDown(chosen, parts.driver, settings);
  const ask = (sql: string) => parts.driver.getConnection().execute(sql);
  for (const migration of settings.inspect ? chosen : []) {
    // What its code decides on from the data is looked at while it runs.
    if (!migration.dynamic.up) await lintBeforeRun(migration, migration.up, ask, tell);
  }
}

async function applyOne(migrator: Migrator, method: Method, migration: MigrationFile, place: Place) {
  const { parts, settings, tell } = migrator;
  const run: Run = {
    migration,
    tableLockTimeout: migration.lockTimeout ?? settings.tableLockTimeout,
    concurrentLockTimeout: settings.concurrentLockTimeout,
    statementTimeout: migration.statementTimeout ?? settings.statementTimeout,
    attempts: settings.attempts,
    markIn: workLockDatabase(parts.driver, settings),
    tell,
    inspect: async (statements, ask) => {
      if (method === 'up' && migration.dynamic.up && settings.inspect)
        await lintBeforeRun(migration, statements, ask, tell);
    },
  };
  if (method === 'up' && settings.inspect) await refuseRowsInTheWay(migration, parts.driver);
  // Outside a transaction the runner tries a statement again; the whole migration again would repeat what is done.
  const attempts = migration.transactional && !place.transaction ? settings.attempts : 1;
  const [info] = await withRetries(attempts, tellRetry(run), () => migrator.runStock(method, run, place));
  if (!info) throw new Error(`${migration.name} was chosen and did not run.`);
  return info;
}
