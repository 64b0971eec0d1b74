import { join } from 'node:path';
import type { MigrationInfo, MigrationResult, MigrationRow, MikroORM } from '@mikro-orm/core';
import type { RunOptions } from './apply/apply.ts';
import { guardSchemaCommands, refuseRollup } from './apply/disposable.ts';
import { markApplied, unmarkApplied } from './apply/mark-applied.ts';
import { retryUntilReachable } from './apply/retries.ts';
import { refuseIncompleteOptions } from './apply/targets.ts';
import { runsAsCommand } from './command-line.ts';
import { checkIntegrity, underNewNames } from './history/integrity.ts';
import type { Method } from './history/migration-file.ts';
import type { HistoryRow } from './history/migration-storage.ts';
import { dataFolderExists } from './lock/choose-lock.ts';
import { withCreateLock } from './lock/create-lock.ts';
import { MigratorBase } from './migrator-base.ts';
import { MigrationProblem } from './problems.ts';
import { assertUtf8 } from './verify/encoding.ts';

/**
 * MikroORM's migrator, with the same commands and options, made safe. What only some commands need is loaded by them, so
 * that `up` with nothing to do and a server start sooner.
 *
 * MikroORM looks for an extension whose class name is Migrator and silently adds its own beside any other. The name is
 * pinned below, so that a minifier can't change it.
 */
export class Migrator extends MigratorBase {
  static {
    Object.defineProperty(Migrator, 'name', { value: 'Migrator' });
  }

  readonly extension = Migrator;

  static override register(orm: MikroORM): void {
    orm.config.registerExtension('@mikro-orm/migrator', () => new Migrator(orm.em as never));
    guardSchemaCommands(orm, () => (orm.migrator as unknown as Migrator).settings);
  }

  override async up(options?: RunOptions): Promise<MigrationInfo[]> {
    return this.reportErrors(async () => {
      if (runsAsCommand()) refuseIncompleteOptions(process.argv.slice(2));
      // The command passes an empty object if it has no options.
      const isPlain = Object.keys(options ?? {}).length === 0;
      if (isPlain && (await this.isUpToDate())) return [];
      return this.apply('up', options);
    });
  }

  override async down(options?: RunOptions): Promise<MigrationInfo[]> {
    return this.reportErrors(async () => {
      if (runsAsCommand()) refuseIncompleteOptions(process.argv.slice(2));
      await this.assertDatabaseExists();
      return this.apply('down', options);
    });
  }

  /** The migrations that are not applied. Creates nothing; in a database that does not exist yet, all are pending. */
  override async getPending(options?: { schema?: string }): Promise<MigrationInfo[]> {
    return this.reportErrors(async () => {
      const rows = (await this.history(options?.schema)) ?? [];
      const all = await this.discoverMigrations();
      // The files are loaded only if one may have been renamed.
      const isKnown = ({ name }: HistoryRow) => all.some((file) => file.name === name);
      const named = rows.every(isKnown) ? rows : underNewNames(await this.readMigrations(), rows);
      const executed = new Set(named.map((row) => row.name));
      return all.filter(({ name }) => !executed.has(name)).map(({ name, path }) => ({ name, ...(path && { path }) }));
    });
  }

  /** The stock columns of the tracking table. Creates nothing. */
  override async getExecuted(options?: { schema?: string }): Promise<MigrationRow[]> {
    return this.reportErrors(async () => {
      await this.initPaths();
      return this.inSchema(options?.schema, async () =>
        (await this.storage.rows()) ? this.storage.getExecutedMigrations() : [],
      );
    });
  }

  /** Writes the difference between entities and history as migrations, and lints them. */
  override async create(path?: string, blank?: boolean, initial?: boolean, name?: string): Promise<MigrationResult> {
    return this.reportErrors(async () => {
      await this.initPaths();
      const { createMigrations, folderOf, logLintFindings } = await import('./create/create.ts');
      const { refuseLongName, toIdentifier } = await import('./create/migration-names.ts');
      const identifier = name ? toIdentifier(name) : initial ? 'initial' : undefined;
      refuseLongName(identifier);
      if (blank && this.settings.dryRun) {
        throw new MigrationProblem('bad-setting', 'A blank migration has nothing to show: leave out --dry-run.');
      }
      if (this.settings.dryRun) return this.showCreation(await createMigrations(this, path, identifier));
      const result = await withCreateLock(this, path, async () => {
        if (blank) return super.create(path, blank, initial, identifier);
        if (!initial) return createMigrations(this, path, identifier);
        const exists = await this.tablesExist();
        const written = await createMigrations(this, path, identifier);
        for (const file of exists ? written.fileName.split(', ') : [])
          await markApplied(this, file.replace(/\.\w+$/, ''));
        return written;
      });
      const { runAfterWrite } = await import('./create/after-write.ts');
      const files = result.fileName.split(', ').filter(Boolean);
      await runAfterWrite(
        this,
        files.map((file) => join(folderOf(this, path), file)),
      );
      if (result.diff.up.length > 0) await logLintFindings(this, result.fileName);
      return result;
    });
  }

  override async logMigration(name: string): Promise<void> {
    return this.reportErrors(async () => {
      await this.assertDatabaseExists();
      await markApplied(this, name);
    });
  }

  override async unlogMigration(name: string): Promise<void> {
    return this.reportErrors(async () => {
      await this.assertDatabaseExists();
      await unmarkApplied(this, name);
    });
  }

  /** `migration:rollup`: refused, because it rewrites the history of one database only. */
  override async rollup(): Promise<MigrationResult> {
    return this.reportErrors(async () => refuseRollup());
  }

  /** `migration:check`: as a command, prints all faults and exits with the code of the most severe. */
  override async checkSchema(): Promise<boolean> {
    return this.reportErrors(async () => {
      const { checkMigrations, problemOf } = await import('./verify/check.ts');
      const { faults, byHand } = await checkMigrations(this, { offline: false });
      if (faults.length > 0 && runsAsCommand()) throw problemOf(faults);
      if (byHand.length > 0) this.log(byHand.map((id) => `by hand: ${id}`).join('\n'));
      return faults.length > 0;
    });
  }

  /** What migration:create would write. As a command, prints it and exits as if entities were ahead, which they are. */
  private showCreation(result: MigrationResult): MigrationResult {
    if (result.diff.up.length === 0 || !runsAsCommand()) return result;
    console.log(result.code);
    const files = result.fileName.split(', ').map((file) => `  ${file}`);
    throw new MigrationProblem('changed', ['This is a dry run. It would write:', ...files].join('\n'));
  }

  override async assertDatabaseExists(): Promise<void> {
    if (!dataFolderExists(this.driver)) {
      throw new MigrationProblem('unreachable', 'There is no database in the data folder. migration:up creates it.');
    }
    const ask = () => this.driver.getConnection().execute('select 1');
    await (this.lock().isFile ? retryUntilReachable(ask) : ask());
  }

  private async apply(method: Method, options?: RunOptions): Promise<MigrationInfo[]> {
    const { applyMigrations } = await import('./apply/apply.ts');
    return this.withLock(async (lock) => {
      if (method === 'up' && !this.isShadow) await assertUtf8(this.driver);
      return applyMigrations(this, { method, options, lock, runMigration: this.runMigration.bind(this) });
    });
  }

  /** For `migration:create --initial`: whether the database has the tables of all entities; an error if it has some. */
  private async tablesExist(): Promise<boolean> {
    await this.init();
    const stock = this as unknown as { validateInitialMigration(blank: boolean): Promise<boolean> };
    return stock.validateInitialMigration(false).catch((error: Error) => {
      throw new MigrationProblem('create-failed', `${error.message}. No file was written.`);
    });
  }

  /** One SELECT and no lock, for the usual case of a server that starts. */
  private async isUpToDate(): Promise<boolean> {
    const { engineInProcess, isFile } = this.lock();
    // An engine inside this process must not open its files before it holds the lock. In an engine that a command shares,
    // the SELECT would wait for the migration that holds the lock.
    if (engineInProcess || (isFile && runsAsCommand())) return false;
    const rows = await this.history();
    if (!rows) return false;
    const files = await this.readMigrations();
    const executed = new Set(rows.map((row) => row.name));
    return files.every(({ name }) => executed.has(name)) && checkIntegrity(files, rows).length === 0;
  }
}
