import type {
  Constructor,
  IMigrationRunner,
  IMigratorStorage,
  MigrationInfo,
  MigrationResult,
  MigrationRow,
  MikroORM,
} from '@mikro-orm/core';
import { fs } from '@mikro-orm/core/fs-utils';
import { type Migration, Migrator as StockMigrator } from '@mikro-orm/migrations';
import type { AbstractSqlDriver, DatabaseSchema, SqlEntityManager } from '@mikro-orm/sql';
import { applyChosen, type Place, type RunOptions } from './apply/apply.ts';
import { guardSchemaCommands, refuseRollup } from './apply/destructive-guards.ts';
import { forgetByHand, recordByHand } from './apply/mark-applied.ts';
import { untilReachable } from './apply/retries.ts';
import { type Run, Runner } from './apply/runner.ts';
import { answersInJson, asProblem, endWith, runsAsCommand } from './command-line.ts';
import { createFromDifference, tellRulesOf } from './create/create.ts';
import { asName } from './create/migration-names.ts';
import { checkIntegrity, type IntegrityFinding } from './history/integrity.ts';
import { type DiscoveredMigration, type Method, type MigrationFile, readMigration } from './history/migration-file.ts';
import { type HistoryRow, HistoryStorage } from './history/migration-storage.ts';
import { type ChosenLock, chooseLock, lockBeforeExit, lockUntilExit } from './lock/choose-lock.ts';
import { type MigrationLock, withLock } from './lock/lock.ts';
import { readSettings, type SafetyOptions, type Settings } from './settings.ts';
import { checkEverything, type Fault, problemOf } from './verify/check.ts';

type RunnableMigration = Awaited<ReturnType<StockMigrator['discoverMigrations']>>[number];

/**
 * The stock migrator with the same commands and options, and none of the ways in which they hurt.
 *
 * MikroORM looks for an extension that is *called* Migrator and silently adds its own next to any other name; that is
 * why the name is pinned below, whatever a minifier does to the class.
 */
export class Migrator extends StockMigrator {
  static {
    Object.defineProperty(Migrator, 'name', { value: 'Migrator' });
  }

  declare protected runner: Runner & IMigrationRunner;
  declare protected storage: HistoryStorage & IMigratorStorage;
  #settings: Settings | undefined;

  static override register(orm: MikroORM): void {
    orm.config.registerExtension('@mikro-orm/migrator', () => new Migrator(orm.em as never));
    guardSchemaCommands(orm, () => (orm.migrator as unknown as Migrator).settings);
  }

  get settings(): Settings {
    this.#settings ??= readSettings((this.options as { safety?: SafetyOptions }).safety);
    return this.#settings;
  }

  /** For a migrator of our own making, which must not listen to the environment. */
  set settings(settings: Settings) {
    this.#settings = settings;
  }

  override async up(options?: RunOptions): Promise<MigrationInfo[]> {
    return this.forPeople(async () => {
      if (!options && (await this.#nothingToDo())) return [];
      return this.exclusively((lock) => applyChosen(this, 'up', options, lock));
    });
  }

  override async down(options?: RunOptions): Promise<MigrationInfo[]> {
    return this.forPeople(() => this.exclusively((lock) => applyChosen(this, 'down', options, lock)));
  }

  /** What is not applied yet, by file. Reads, and creates nothing; a database that is not there yet has everything to come. */
  override async getPending(options?: { schema?: string }): Promise<MigrationInfo[]> {
    return this.forPeople(async () => {
      const rows = await this.history(options?.schema);
      const executed = new Set(rows?.map((row) => row.name));
      const all = await this.discoverMigrations();
      return all.filter(({ name }) => !executed.has(name)).map(({ name, path }) => ({ name, ...(path && { path }) }));
    });
  }

  /** What the tracking table holds. Reads, and creates nothing. */
  override async getExecuted(options?: { schema?: string }): Promise<MigrationRow[]> {
    return this.forPeople(async () => {
      await this.initPaths();
      return this.#inSchema(options?.schema, async () =>
        (await this.storage.rows()) ? this.storage.getExecutedMigrations() : [],
      );
    });
  }

  /** Writes the difference between entities and history as a migration, and says what the rules think of it. */
  override async create(path?: string, blank?: boolean, initial?: boolean, name?: string): Promise<MigrationResult> {
    return this.forPeople(async () => {
      await this.initPaths();
      const own = name && asName(name);
      const result =
        blank || initial
          ? await super.create(path, blank, initial, own || (initial ? 'initial' : undefined))
          : await createFromDifference(this, path, own);
      if (result.diff.up.length > 0) await tellRulesOf(this, result.fileName);
      return result;
    });
  }

  override async logMigration(name: string): Promise<void> {
    return this.forPeople(() => recordByHand(this, name));
  }

  override async unlogMigration(name: string): Promise<void> {
    return this.forPeople(() => forgetByHand(this, name));
  }

  /** `migration:rollup`: refused, because it can only be right for one database. */
  override async rollup(): Promise<MigrationResult> {
    return this.forPeople(async () => refuseRollup());
  }

  /** Every migration there is a file for, read without touching a database. */
  async readAll(): Promise<MigrationFile[]> {
    await this.initPaths();
    const found = await this.discoverMigrations();
    const files: MigrationFile[] = [];
    for (const each of found as (RunnableMigration & DiscoveredMigration)[])
      files.push(await readMigration(each, this.driver));
    return files;
  }

  /** What the tracking table holds, with who and how long; undefined when there is no table yet. Creates nothing. */
  async history(schema?: string): Promise<HistoryRow[] | undefined> {
    await this.initPaths();
    return this.#inSchema(schema, () => this.storage.rows());
  }

  /** In which ways the files and the tracking table disagree. */
  async integrity(): Promise<IntegrityFinding[]> {
    return checkIntegrity(await this.readAll(), (await this.history()) ?? []);
  }

  /** Compares everything there is to compare; `offline` leaves the live database out. */
  async check({ offline = false } = {}): Promise<Fault[]> {
    await this.initPaths();
    return checkEverything(this, { offline });
  }

  /** `migration:check`: as a command, tells every fault and ends with the code of the gravest. */
  override async checkSchema(): Promise<boolean> {
    return this.forPeople(async () => {
      const faults = await this.check();
      if (faults.length > 0 && runsAsCommand()) throw problemOf(faults);
      return faults.length > 0;
    });
  }

  /** What the others of this folder work with; MikroORM keeps it to the class. */
  get parts() {
    const { em, driver, config, options, storage, generator } = this;
    return { em: em as SqlEntityManager, driver: driver as AbstractSqlDriver, config, options, storage, generator };
  }

  /** The tables as migration:create last left them; undefined when there is no snapshot. */
  async snapshot(): Promise<DatabaseSchema | undefined> {
    await this.initPaths();
    return this.getSchemaFromSnapshot();
  }

  /** Without a schema: what the entities say. */
  async writeSnapshot(schema?: DatabaseSchema): Promise<void> {
    await this.storeCurrentSchema(schema);
  }

  /** Runs one migration the way the stock migrator does, with its log row, through our runner and our tracking table. */
  async runStock(method: Method, run: Run, { schema, transaction }: Place): Promise<MigrationInfo[]> {
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

  /** Runs the work while no other migrator can run, with the database and the tracking table in place. */
  async exclusively<T>(work: (lock: MigrationLock) => Promise<T>): Promise<T> {
    await this.initPaths();
    const { lock, isFile } = this.#lock();
    return withLock(lock, async () => {
      if (isFile) await untilReachable(() => this.history());
      await this.init();
      return work(lock);
    });
  }

  /** Runs the work; as a command, whatever goes wrong is told and ends the process with a code of its own. */
  async forPeople<T>(work: () => Promise<T>): Promise<T> {
    try {
      await lockUntilExit(() => this.#lock());
      return await work();
    } catch (error) {
      const problem = asProblem(error, this.driver.getConnection().getConnectionOptions() as never);
      if (!runsAsCommand()) throw problem;
      await lockBeforeExit(() => this.#lock());
      await this.driver.close(true).catch(() => {});
      return endWith(problem);
    }
  }

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

  #lock(): ChosenLock {
    return chooseLock(this.driver, this.settings, this.tell);
  }

  /** One SELECT, and no lock: the usual case of a server that starts. */
  async #nothingToDo(): Promise<boolean> {
    // An engine inside this process must not open its files before it holds the lock.
    if (this.#lock().engineInProcess) return false;
    const rows = await this.history();
    if (!rows) return false;
    const files = await this.readAll();
    const executed = new Set(rows.map((row) => row.name));
    return files.every(({ name }) => executed.has(name)) && checkIntegrity(files, rows).length === 0;
  }

  async #inSchema<T>(schema: string | undefined, work: () => Promise<T>): Promise<T> {
    this.storage.setRunSchema(schema ?? this.options.schema);
    try {
      return await work();
    } finally {
      this.storage.unsetRunSchema();
    }
  }

  readonly tell = (text: string): void => {
    if (this.options.silent) return;
    if (runsAsCommand() && answersInJson()) console.error(text);
    // MikroORM's logger would put it all on one line.
    else if (runsAsCommand() && text.includes('\n')) console.log(text);
    else this.config.getLogger().log('migrator', text, { enabled: true });
  };
}
