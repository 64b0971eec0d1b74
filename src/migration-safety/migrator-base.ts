import type {
  Configuration,
  Constructor,
  IMigrationGenerator,
  IMigrationRunner,
  IMigratorStorage,
  MigrationsOptions,
  MikroORM,
} from '@mikro-orm/core';
import { fs } from '@mikro-orm/core/fs-utils';
import { type Migration, Migrator as StockMigrator } from '@mikro-orm/migrations';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { Place } from './apply/apply.ts';
import { retryUntilReachable } from './apply/retries.ts';
import { type MigrationRun, Runner } from './apply/runner.ts';
import { exitWith, isJsonOutput, runsAsCommand, toProblem } from './command-line.ts';
import { type DiscoveredMigration, type Method, type MigrationFile, readMigration } from './history/migration-file.ts';
import { type HistoryRow, HistoryStorage } from './history/migration-storage.ts';
import { type ChosenLock, chooseLock, lockBeforeExit, lockUntilExit } from './lock/choose-lock.ts';
import { type MigrationLock, withLock } from './lock/lock.ts';
import type { MigrationStep, MigratorParts } from './migrator-parts.ts';
import { readSettings, type SafetyOptions, type Settings } from './settings.ts';

type RunnableMigration = Awaited<ReturnType<StockMigrator['discoverMigrations']>>[number];

/** MikroORM's migrator with this folder's files, runner, tracking table, lock and errors: what the commands are made of. */
export abstract class MigratorBase extends StockMigrator implements MigratorParts {
  // Protected in MikroORM.
  declare readonly driver: AbstractSqlDriver;
  declare readonly config: Configuration;
  declare readonly options: MigrationsOptions;
  declare readonly generator: IMigrationGenerator;
  declare readonly storage: HistoryStorage & IMigratorStorage;
  declare protected runner: Runner & IMigrationRunner;

  abstract readonly extension: { register(orm: MikroORM): void };
  abstract assertDatabaseExists(): Promise<void>;
  onProgress: ((step: MigrationStep) => void) | undefined;
  private ownSettings: Settings | undefined;
  /** The command that opened the shadow database handles its errors, and closes it. */
  protected isShadow = false;

  get settings(): Settings {
    this.ownSettings ??= readSettings((this.options as { safety?: SafetyOptions }).safety);
    return this.ownSettings;
  }

  /** For a shadow database, whose migrator must not read the environment. */
  set settings(settings: Settings) {
    this.isShadow = true;
    this.ownSettings = settings;
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

  /** Runs one migration through MikroORM's migrator, with Runner and HistoryStorage. */
  protected async runMigration(method: Method, run: MigrationRun, { schema, transaction }: Place) {
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

  protected lock(): ChosenLock {
    return chooseLock(this.driver, this.settings, this.log);
  }

  protected async inSchema<T>(schema: string | undefined, work: () => Promise<T>): Promise<T> {
    this.storage.setRunSchema(schema ?? this.options.schema);
    try {
      return await work();
    } finally {
      this.storage.unsetRunSchema();
    }
  }
}
