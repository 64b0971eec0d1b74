import type { MigrationInfo } from '@mikro-orm/core';
import type { Migrator as StockMigrator } from '@mikro-orm/migrations';
import { runsAsCommand } from '../command-line.ts';
import { assertIntegrity, checkIntegrity, formatIntegrityFindings } from '../history/integrity.ts';
import type { Method, MigrationFile } from '../history/migration-file.ts';
import { lintBeforeRun } from '../lint/lint-before-run.ts';
import { isPglite, workLockDatabase } from '../lock/choose-lock.ts';
import type { MigrationLock } from '../lock/lock.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';
import { onlyOutsideTransaction } from '../sql/statements.ts';
import { refuseDataLoss } from './destructive-guards.ts';
import { withRetries } from './retries.ts';
import { logRetry, type MigrationRun } from './runner.ts';
import { notInATransaction } from './statement-failed.ts';
import { chooseMigrations, refuseIncompleteOptions } from './targets.ts';
import { refuseViolatingRows } from './violating-rows.ts';

export type RunOptions = Parameters<StockMigrator['up']>[0];

/** Runs one migration and writes its row in the tracking table. */
export type RunMigration = (method: Method, run: MigrationRun, place: Place) => Promise<MigrationInfo[]>;

/** Where a migration runs, if not in its own transaction in the schema of the connection. */
export interface Place {
  schema: string | undefined;
  transaction: unknown;
}

interface Application {
  method: Method;
  options: RunOptions;
  lock: MigrationLock;
  runMigration: RunMigration;
}

/**
 * Runs the migrations that the options choose, one at a time, each with its row in the tracking table: when one fails,
 * those before it stay applied. All checks that can refuse the run come first, while nothing is changed.
 */
export async function applyMigrations(
  migrator: MigratorParts,
  { method, options, lock, runMigration }: Application,
): Promise<MigrationInfo[]> {
  if (runsAsCommand()) refuseIncompleteOptions(process.argv.slice(2));
  const targets =
    typeof options === 'string' || Array.isArray(options) ? { migrations: [options].flat() } : (options ?? {});
  const schema = targets.schema ?? migrator.options.schema;
  const files = await migrator.readMigrations();
  const rows = (await migrator.history(schema)) ?? [];
  const history = { all: files.map((file) => file.name), executed: rows.map((row) => row.name) };
  const names = chooseMigrations(method, targets, history);
  const findings = checkIntegrity(files, rows);
  // When going down as well: a migration whose file is missing can't be reverted.
  assertIntegrity(findings, migrator.settings);
  for (const finding of findings) migrator.log(formatIntegrityFindings([finding]));
  const chosen = names.map((name) => files.find((file) => file.name === name) as MigrationFile);
  refuseStatementTimeout(migrator, chosen);
  await refuseUnsafe(migrator, method, chosen);
  const transaction = 'transaction' in targets ? targets.transaction : undefined;
  const applied: MigrationInfo[] = [];
  for (const migration of chosen) {
    await lock.verify();
    const run = runOf(migrator, method, migration);
    if (method === 'up' && migrator.settings.preflight) await refuseViolatingRows(migration, migrator.driver);
    // Outside a transaction the runner retries single statements; retrying the migration would repeat the others.
    const attempts = migration.transactional && !transaction ? run.attempts : 1;
    const [info] = await withRetries(attempts, logRetry(run), () => runMigration(method, run, { schema, transaction }));
    if (!info) throw new Error(`${migration.name} was chosen and did not run.`);
    applied.push(info);
  }
  return applied;
}

/** An engine inside this process can't be interrupted, so it can't keep a statement timeout. */
function refuseStatementTimeout({ driver, settings, log }: MigratorParts, chosen: MigrationFile[]): void {
  if (!isPglite(driver)) return;
  const why = 'cannot be enforced: the database runs inside this process, where a statement cannot be interrupted';
  if (settings.statementTimeout > 0) {
    throw new MigrationProblem('bad-setting', `MIGRATION_STATEMENT_TIMEOUT ${why}. Nothing was changed.`);
  }
  for (const { name } of chosen.filter(({ statementTimeout }) => statementTimeout)) {
    log(`${name}: its statementTimeout ${why}`);
  }
}

async function refuseUnsafe({ driver, settings, log }: MigratorParts, method: Method, chosen: MigrationFile[]) {
  for (const migration of chosen) {
    const statement = migration.transactional && migration[method].find((each) => onlyOutsideTransaction(each));
    if (statement) throw notInATransaction(migration.name, statement);
  }
  if (method === 'down') return refuseDataLoss(chosen, driver, settings);
  const execute = (sql: string) => driver.getConnection().execute(sql);
  for (const migration of settings.preflight ? chosen : []) {
    // The statements of a dynamic migration are known, and linted, only while it runs.
    if (!migration.dynamic.up) await lintBeforeRun(migration, migration.up, execute, log);
  }
}

function runOf({ driver, settings, log }: MigratorParts, method: Method, migration: MigrationFile): MigrationRun {
  return {
    migration,
    tableLockTimeout: migration.lockTimeout ?? settings.tableLockTimeout,
    concurrentLockTimeout: settings.concurrentLockTimeout,
    statementTimeout: migration.statementTimeout ?? settings.statementTimeout,
    attempts: settings.attempts,
    workLockDatabase: workLockDatabase(driver, settings),
    log,
    lint: async (statements, execute) => {
      if (method === 'up' && migration.dynamic.up && settings.preflight)
        await lintBeforeRun(migration, statements, execute, log);
    },
  };
}
