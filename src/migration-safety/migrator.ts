import type {
  Configuration,
  Constructor,
  IMigrationGenerator,
  IMigrationRunner,
  IMigratorStorage,
  MigrationInfo,
  MigrationResult,
  MigrationRow,
  MigrationsOptions,
  MikroORM,
} from '@mikro-orm/core';
import { fs } from '@mikro-orm/core/fs-utils';
import { type Migration, Migrator as StockMigrator } from '@mikro-orm/migrations';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { Place, RunOptions } from './apply/apply.ts';
import { guardSchemaCommands, refuseRollup } from './apply/disposable.ts';
import { markApplied, unmarkApplied } from './apply/mark-applied.ts';
import { retryUntilReachable } from './apply/retries.ts';
import { type MigrationRun, Runner } from './apply/runner.ts';
import { refuseIncompleteOptions } from './apply/targets.ts';
import { exitWith, isJsonOutput, runsAsCommand, toProblem } from './command-line.ts';
import { checkIntegrity, underNewNames } from './history/integrity.ts';
import { type DiscoveredMigration, type Method, type MigrationFile, readMigration } from './history/migration-file.ts';
import { type HistoryRow, HistoryStorage } from './history/migration-storage.ts';
import { type ChosenLock, chooseLock, dataFolderExists, lockBeforeExit, lockUntilExit } from './lock/choose-lock.ts';
import { withCreateLock } from './lock/create-lock.ts';
import { type MigrationLock, withLock } from './lock/lock.ts';
import type { MigratorParts } from './migrator-parts.ts';
import { MigrationProblem } from './problems.ts';
import { readSettings, type SafetyOptions, type Settings } from './settings.ts';
import { assertUtf8 } from './verify/encoding.ts';

type RunnableMigration = Awaited<ReturnType<StockMigrator['discoverMigrations']>>[number];

/**
 * MikroORM's migrator, with the same commands and options, made safe. What only some commands need is loaded by them, so
 * that `up` with nothing to do and a server start sooner.
 *
 * MikroORM looks for an extension whose class name is Migrator and silently adds its own beside any other. The name is
 * pinned below, so that a minifier can't change it.
 */
export class Migrator extends StockMigrator implements MigratorParts {
  static {
    Object.defineProperty(Migrator, 'name', { value: 'Migrator' });
  }

  // Protected in MikroORM.
  declare readonly driver: AbstractSqlDriver;
  declare readonly config: Configuration;
  declare readonly options: MigrationsOptions;
  declare readonly generator: IMigrationGenerator;
  declare readonly storage: HistoryStorage & IMigratorStorage;
  declare protected runner: Runner & IMigrationRunner;

  readonly extension = Migrator;
  private ownSettings: Settings | undefined;
  /** The command that opened the shadow database handles its errors, and closes it. */
  private isShadow = false;

  static override register(orm: MikroORM): void {
    orm.config.registerExtension('@mikro-orm/migrator', () => new Migrator(orm.em as never));
    guardSchemaCommands(orm, () => (orm.migrator as unknown as Migrator).settings);
  }

  get settings(): Settings {
    this.ownSettings ??= readSettings((this.options as { safety?: SafetyOptions }).safety);
    return this.ownSettings;
  }

  /** For a shadow database, whose migrator must not read the environment. */
  set settings(settings: Settings) {
    this.isShadow = true;
    this.ownSettings = settings;
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
      const { createMigrations, logLintFindings } = await import('./create/create.ts');
      const { refuseLongName, toIdentifier } = await import('./create/migration-names.ts');
      const identifier = name ? toIdentifier(name) : initial ? 'initial' : undefined;
      refuseLongName(identifier);
      const result = await withCreateLock(this, path, async () => {
        if (blank) return super.create(path, blank, initial, identifier);
        if (!initial) return createMigrations(this, path, identifier);
        const exists = await this.tablesExist();
        const written = await createMigrations(this, path, identifier);
        for (const file of exists ? written.fileName.split(', ') : [])
          await markApplied(this, file.replace(/\.\w+$/, ''));
        return written;
      });
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

  async readMigrations(): Promise<MigrationFile[]> {
    await this.initPaths();
    const found = await this.discoverMigrations();
    const migrations: MigrationFile[] = [];
    for (const file of found as (RunnableMigration & DiscoveredMigration)[])
      migrations.push(await readMigration(file, this.driver));
    return migrations;
  }

  async history(schema?: string): Promise<HistoryRow[] | undefined> {
    await this.initPaths();
    return this.inSchema(schema, () => this.storage.rows());
  }

  async withLock<T>(work: (lock: MigrationLock) => Promise<T>): Promise<T> {
    await this.initPaths();
    const { lock, isFile } = this.lock();
    return withLock(lock, async () => {
      if (isFile) await retryUntilReachable(() => this.history());
      await this.init();
      return work(lock);
    });
  }

  /** migration:up creates the database; what needs one with a history must not. */
  private async assertDatabaseExists(): Promise<void> {
    if (!dataFolderExists(this.driver)) {
      throw new MigrationProblem('unreachable', 'There is no database in the data folder. migration:up creates it.');
    }
    const ask = () => this.driver.getConnection().execute('select 1');
    await (this.lock().isFile ? retryUntilReachable(ask) : ask());
  }

  /** Runs the work; as a command, prints any error and exits with its code. */
  async reportErrors<T>(work: () => Promise<T>): Promise<T> {
    try {
      await lockUntilExit(() => this.lock());
      return await work();
    } catch (error) {
      const problem = toProblem(error, this.driver.getConnection().getConnectionOptions() as never);
      if (!runsAsCommand() || this.isShadow) throw problem;
      await lockBeforeExit(() => this.lock());
      await this.driver.close(true).catch(() => {});
      return exitWith(problem);
    }
  }

  readonly log = (text: string): void => {
    if (this.options.silent) return;
    if (runsAsCommand() && isJsonOutput()) console.error(text);
    // MikroORM's logger would put it all on one line.
    else if (runsAsCommand() && text.includes('\n')) console.log(text);
    else this.config.getLogger().log('migrator', text, { enabled: true });
  };

  protected override createRunner(): IMigrationRunner {
    return new Runner(this.driver, this.options, this.config) as IMigrationRunner;
  }

  protected override createStorage(): IMigratorStorage {
    return new HistoryStorage(this.driver, this.options);
  }

  protected override resolve(params: { name: string; path: string }): RunnableMigration {
    const create = async () => {
      const module = await fs.dynamicImport<Record<string, Constructor<Migration>>>(params.path);
      const MigrationClass = Object.values(module).find((value) => typeof value === 'function');
      if (!MigrationClass) throw new Error('the file exports no migration class');
      return new MigrationClass(this.driver, this.config);
    };
    return Object.assign(super.resolve(params), { create });
  }

  protected override initialize(MigrationClass: Constructor<Migration>, name?: string): RunnableMigration {
    return Object.assign(super.initialize(MigrationClass as never, name), {
      create: async () => new MigrationClass(this.driver, this.config),
    });
  }

  /** MikroORM's snapshot is not written: migration:create has one of its own, see create/snapshot.ts. */
  protected override async storeCurrentSchema(): Promise<void> {}

  private async apply(method: Method, options?: RunOptions): Promise<MigrationInfo[]> {
    const { applyMigrations } = await import('./apply/apply.ts');
    return this.withLock(async (lock) => {
      if (method === 'up' && !this.isShadow) await assertUtf8(this.driver);
      return applyMigrations(this, { method, options, lock, runMigration: this.runMigration.bind(this) });
    });
  }

  /** Runs one migration through MikroORM's migrator, with Runner and HistoryStorage. */
  private async runMigration(method: Method, run: MigrationRun, { schema, transaction }: Place) {
    this.runner.current = run;
    const { checksum, source } = run.migration;
    this.storage.record = { checksum, source, started: Date.now(), appVersion: this.settings.appVersion };
    this.options.allOrNothing = transaction !== undefined;
    return super.runMigrations(method, {
      migrations: [run.migration.name],
      ...(schema !== undefined && { schema }),
      ...(transaction !== undefined && { transaction: transaction as never }),
    });
  }

  private lock(): ChosenLock {
    return chooseLock(this.driver, this.settings, this.log);
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

  private async inSchema<T>(schema: string | undefined, work: () => Promise<T>): Promise<T> {
    this.storage.setRunSchema(schema ?? this.options.schema);
    try {
      return await work();
    } finally {
      this.storage.unsetRunSchema();
    }
  }
}
