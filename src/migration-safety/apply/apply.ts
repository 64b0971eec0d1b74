import type { MigrationInfo } from '@mikro-orm/core';
import type { Migrator as StockMigrator } from '@mikro-orm/migrations';
import {
  assertIntegrity,
  checkIntegrity,
  findRenamed,
  formatIntegrityFindings,
  underNewNames,
} from '../history/integrity.ts';
import type { Method, MigrationFile } from '../history/migration-file.ts';
import type { HistoryRow } from '../history/migration-storage.ts';
import { statementsBefore } from '../lint/lint.ts';
import { lintBeforeRun } from '../lint/lint-before-run.ts';
import { isPglite, workLockDatabase } from '../lock/choose-lock.ts';
import type { MigrationLock } from '../lock/lock.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { MigrationProblem } from '../problems.ts';
import { readRenameAnswers } from '../renames/renames.ts';
import { type Probe, probeOf, probeOn } from '../sql/execute.ts';
import { changesType, onlyOutsideTransaction } from '../sql/statements.ts';
import { refuseDataLoss } from './destructive-guards.ts';
import { withRetries } from './retries.ts';
import { logRetry, type MigrationRun } from './runner.ts';
import { notInATransaction, ROLLED_BACK } from './statement-failed.ts';
import { chooseMigrations, refuseHoles } from './targets.ts';
import { describe, findLostValues, findViolations, refuseViolations, type Violation } from './violating-rows.ts';

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
  const targets =
    typeof options === 'string' || Array.isArray(options) ? { migrations: [options].flat() } : (options ?? {});
  const schema = targets.schema ?? migrator.options.schema;
  const files = await migrator.readMigrations();
  const rows = await recordRenames(migrator, files, (await migrator.history(schema)) ?? []);
  const history = { all: files.map((file) => file.name), executed: rows.map((row) => row.name) };
  const names = chooseMigrations(method, targets, history);
  const findings = checkIntegrity(files, rows);
  // When going down as well: a migration whose file is missing can't be reverted.
  assertIntegrity(findings, migrator.settings);
  for (const finding of findings) migrator.log(formatIntegrityFindings([finding]));
  if (migrator.settings.outOfOrder === 'refuse') refuseHoles(method, names, history);
  const chosen = names.map((name) => files.find((file) => file.name === name) as MigrationFile);
  refuseStatementTimeout(migrator, chosen);
  const transaction = 'transaction' in targets ? targets.transaction : undefined;
  if (migrator.settings.singleTransaction) refuseOutsideTransaction(chosen);
  const lockTimeout = migrator.settings.tableLockTimeout;
  const probeIn = (shared: unknown) => probeOf(migrator.driver, { schema, transaction: shared, lockTimeout });
  const probe = probeIn(transaction);
  const executed = new Set([...names, ...history.executed]);
  const later = files.slice(files.findIndex(({ name }) => name === names.at(-1)) + 1);
  const pending = later.filter(({ name }) => !executed.has(name));
  const open = await refuseUnsafe(migrator, method, { chosen, files, later: pending }, probe);
  const each = async (migration: MigrationFile, shared: unknown): Promise<MigrationInfo> => {
    await lock.verify();
    const run = runOf(migrator, method, migration, files);
    // What the rows are like after the earlier migrations is known only now.
    if (open.has(migration.name)) {
      const { found } = await findViolations([migration], [], shared ? probeIn(shared) : probe);
      refuseLostValues(found, migrator.log);
      refuseViolations(found.filter(({ code }) => !code));
    }
    // Outside a transaction the runner retries single statements; retrying the migration would repeat the others.
    const attempts = migration.transactional && !shared ? run.attempts : 1;
    const [info] = await withRetries(attempts, logRetry(run), () =>
      runMigration(method, run, { schema, transaction: shared }),
    );
    if (!info) throw new Error(`${migration.name} was chosen and did not run.`);
    return info;
  };
  const all = async (shared: unknown) => {
    const applied: MigrationInfo[] = [];
    for (const migration of chosen) {
      const info = await each(migration, shared);
      applied.push(info);
      migrator.onProgress?.({ name: info.name, number: applied.length, of: chosen.length });
    }
    return applied;
  };
  const [first] = chosen;
  if (!first || transaction || !migrator.settings.singleTransaction) return all(transaction);
  return inSingleTransaction(migrator, runOf(migrator, method, first, files), all);
}

/** Runs all migrations or none. A busy table makes it start again from the first. */
async function inSingleTransaction<T>(
  { driver }: MigratorParts,
  first: MigrationRun,
  work: (transaction: unknown) => Promise<T>,
): Promise<T> {
  try {
    return await withRetries(first.attempts, logRetry(first), () => driver.getConnection().transactional(work));
  } catch (error) {
    const rolledBack = 'It ran in a single transaction with the others, which was rolled back: nothing was changed.';
    if (error instanceof MigrationProblem) error.message = error.message.replace(ROLLED_BACK, rolledBack);
    throw error;
  }
}

function refuseOutsideTransaction(chosen: MigrationFile[]): void {
  const outside = chosen.filter(({ transactional }) => !transactional);
  if (outside.length === 0) return;
  throw new MigrationProblem(
    'not-in-a-transaction',
    [
      'A single transaction cannot contain migrations that run outside a transaction:',
      ...outside.map(({ name }) => `  ${name}`),
      'Apply them without MIGRATION_SINGLE_TRANSACTION, or those before them first: --to <name>. Nothing was changed.',
    ].join('\n'),
  );
}

/** The rows, under the new names of files that were renamed, which are recorded. */
async function recordRenames(
  { storage, log }: MigratorParts,
  files: MigrationFile[],
  rows: HistoryRow[],
): Promise<HistoryRow[]> {
  for (const { from, to } of findRenamed(files, rows)) {
    await storage.rename(from, to);
    log(`${from} is applied already; its file is now ${to}, and so is its row`);
  }
  return underNewNames(files, rows);
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

/** Returns the names of the migrations whose rows are to be looked at again when it is their turn. */
async function refuseUnsafe(
  { driver, settings, log }: MigratorParts,
  method: Method,
  { chosen, files, later }: { chosen: MigrationFile[]; files: MigrationFile[]; later: MigrationFile[] },
  probe: Probe,
): Promise<Set<string>> {
  for (const migration of chosen) {
    const statement = migration.transactional && migration[method].find((each) => onlyOutsideTransaction(each));
    if (statement) throw notInATransaction(migration.name, statement);
  }
  if (method === 'down') {
    for (const migration of chosen) if (migration.irreversible) throw irreversible(migration.name);
    const downs = chosen.map((migration) => ({ migration, statements: migration.down }));
    await refuseDataLoss(downs, { driver, settings }, probe);
  }
  if (method === 'down' || !settings.preflight) return new Set();
  const { found, open } = await findViolations(chosen, later, probe);
  // Before the rule about changes of type, which knows nothing of the rows.
  refuseLostValues(found, log);
  const execute = (sql: string) => driver.getConnection().execute(sql);
  for (const migration of chosen) {
    // The statements of a dynamic migration are known, and linted, only while it runs.
    if (!migration.dynamic.up)
      await lintBeforeRun(migration, migration.up, execute, log, statementsBefore(migration, files));
  }
  refuseViolations(found.filter(({ code }) => !code));
  return open;
}

/** A change of type may lose values, not fail on them, if the migration says why; they are shown either way. */
function refuseLostValues(found: Violation[], log: (text: string) => void): void {
  const lost = found.filter(({ code }) => code);
  const isIntended = ({ code, fails, migration }: Violation) => !fails && Boolean(migration.safeBecause[code ?? '']);
  refuseViolations(lost.filter((each) => !isIntended(each)));
  for (const each of lost) {
    log(`${each.migration.name}: intended, as its safeBecause says\n${describe(each).join('\n')}`);
  }
}

const irreversible = (name: string) =>
  new MigrationProblem(
    'failed',
    `${name} cannot be reverted: it has no down. Nothing was changed.\nWrite a migration that goes back by going forward, or migration:unlog it if the database was restored.`,
  );

function runOf(
  { driver, settings, log }: MigratorParts,
  method: Method,
  migration: MigrationFile,
  files: readonly MigrationFile[],
): MigrationRun {
  const earlier = statementsBefore(migration, files);
  return {
    migration,
    later: files.slice(files.indexOf(migration) + (method === 'up' ? 0 : 1)).flatMap(({ up }) => up),
    renames: readRenameAnswers(settings.renames, driver.getMetadata().getAll().values()),
    tableLockTimeout: migration.lockTimeout ?? settings.tableLockTimeout,
    concurrentLockTimeout: settings.concurrentLockTimeout,
    statementTimeout: migration.statementTimeout ?? settings.statementTimeout,
    attempts: settings.attempts,
    workLockDatabase: workLockDatabase(driver, settings),
    log,
    inspect: async (statements, { execute, isTransaction }) => {
      if (!migration.dynamic[method] || !settings.preflight) return;
      if (method === 'up') return lintBeforeRun(migration, statements, execute, log, earlier);
      await refuseDataLoss([{ migration, statements }], { driver, settings }, probeOn(execute, isTransaction));
    },
    // Earlier statements of the migration may have changed the rows since they were looked at.
    inspectRows: async (statement, { execute, isTransaction }) => {
      if (!settings.preflight || !changesType(statement)) return;
      const probe = probeOn(execute, isTransaction);
      if (method === 'down')
        return refuseDataLoss([{ migration, statements: [statement] }], { driver, settings }, probe);
      refuseLostValues(await findLostValues(migration, statement, probe), () => {});
    },
  };
}
