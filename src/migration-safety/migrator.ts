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
import { checkEverything, type Fault, problemOf } from './check.ts';
import { asProblem, endWith, runsAsCommand } from './command-line.ts';
import { draftMigrations, writeMigrations } from './creation.ts';
import { guardSchemaCommands, refuseLosingDown } from './guards.ts';
import { inspect } from './inspection.ts';
import { examine, type Finding, refuseUntrusted, tellFindings } from './integrity.ts';
import { Ledger, type LedgerRow } from './ledger.ts';
import { lint, tellLint } from './lint.ts';
import { whileHolding } from './lock.ts';
import { lockFor, markedDatabase } from './lock-choice.ts';
import { withRetries } from './retries.ts';
import { refuseRowsInTheWay } from './rows-in-the-way.ts';
import { type Run, Runner, tellRetry } from './runner.ts';
import { readSettings, type SafetyOptions, type Settings } from './settings.ts';
import { StatementFailed } from './statement-failed.ts';
import { onlyOutsideTransaction } from './statements.ts';
import { chooseMigrations, findMigration } from './targets.ts';
import { type Method, type MigrationFile, readMigration, type WrittenMigration } from './written-migration.ts';

type RunOptions = Parameters<StockMigrator['up']>[0];
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
  declare protected storage: Ledger & IMigratorStorage;
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
      await this.initPaths();
      if (!options && (await this.#nothingToDo())) return [];
      return this.#exclusively(() => this.#runChosen('up', options));
    });
  }

  override async down(options?: RunOptions): Promise<MigrationInfo[]> {
    return this.forPeople(async () => {
      await this.initPaths();
      return this.#exclusively(() => this.#runChosen('down', options));
    });
  }

  /** What is not applied yet, by file. Reads, and creates nothing; a database that is not there yet has everything to come. */
  override async getPending(options?: { schema?: string }): Promise<MigrationInfo[]> {
    return this.forPeople(async () => {
      await this.initPaths();
      const rows = await this.#inSchema(options?.schema, () => this.storage.rows());
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
      const result =
        blank || initial
          ? await super.create(path, blank, initial, name ?? (initial ? 'initial' : undefined))
          : await this.#createFromDifference(path, name);
      await this.#tellRules(result.fileName);
      return result;
    });
  }

  override async logMigration(name: string): Promise<void> {
    return this.forPeople(async () => {
      await this.initPaths();
      const files = await this.readAll();
      const known = findMigration(
        name,
        files.map((file) => file.name),
        '--name',
      );
      await this.#exclusively(async () => {
        await this.init();
        const rows = (await this.storage.rows()) ?? [];
        if (rows.some((row) => row.name === known)) return this.#tell(`${known} is recorded already; nothing to do`);
        this.storage.attempt = { ...this.#appVersion(), ...fingerprintOf(files, known) };
        await this.storage.logMigration({ name: known });
      });
    });
  }

  override async unlogMigration(name: string): Promise<void> {
    return this.forPeople(async () => {
      await this.initPaths();
      const executed = ((await this.storage.rows()) ?? []).map((row) => row.name);
      const known = findMigration(name, executed, '--name');
      await this.#exclusively(async () => {
        await this.init();
        await this.storage.unlogMigration({ name: known });
      });
    });
  }

  /** Every migration there is a file for, read without touching a database. */
  async readAll(): Promise<WrittenMigration[]> {
    await this.initPaths();
    const found = await this.discoverMigrations();
    const files: WrittenMigration[] = [];
    for (const each of found as (RunnableMigration & MigrationFile)[])
      files.push(await readMigration(each, this.driver));
    return files;
  }

  /** What the tracking table holds, with who and how long; undefined when there is no table yet. Creates nothing. */
  async history(): Promise<LedgerRow[] | undefined> {
    await this.initPaths();
    return this.storage.rows();
  }

  /** In which ways the files and the tracking table disagree. */
  async integrity(): Promise<Finding[]> {
    return examine(await this.readAll(), (await this.history()) ?? []);
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
    const { em, driver, config, options, storage } = this;
    return { em: em as SqlEntityManager, driver: driver as AbstractSqlDriver, config, options, storage };
  }

  /** The tables as migration:create last left them; undefined when there is no snapshot. */
  async snapshot(): Promise<DatabaseSchema | undefined> {
    await this.initPaths();
    return this.getSchemaFromSnapshot();
  }

  async writeSnapshot(schema: DatabaseSchema): Promise<void> {
    await this.storeCurrentSchema(schema);
  }

  /** Runs the work while no other migrator can run, with the database and the tracking table in place. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    await this.initPaths();
    return this.#exclusively(async () => {
      await this.init();
      return work();
    });
  }

  /** Runs the work; as a command, whatever goes wrong is told and ends the process with a code of its own. */
  async forPeople<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const problem = asProblem(error, this.driver.getConnection().getConnectionOptions() as never);
      if (!runsAsCommand()) throw problem;
      await this.driver.close(true).catch(() => {});
      return endWith(problem);
    }
  }

  protected override createRunner(): IMigrationRunner {
    return new Runner(this.driver, this.options, this.config) as IMigrationRunner;
  }

  protected override createStorage(): IMigratorStorage {
    return new Ledger(this.driver, this.options);
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

  async #runChosen(method: Method, options: RunOptions): Promise<MigrationInfo[]> {
    await this.init();
    const targets =
      typeof options === 'string' || Array.isArray(options) ? { migrations: [options].flat() } : (options ?? {});
    const schema = targets.schema ?? this.options.schema;
    const files = await this.readAll();
    const rows = (await this.#inSchema(schema, () => this.storage.rows())) ?? [];
    const history = { all: files.map((file) => file.name), executed: rows.map((row) => row.name) };
    const names = chooseMigrations(method, targets, history);
    const findings = examine(files, rows);
    // Going back past a file that is gone is the one thing a missing file must stop when going down.
    refuseUntrusted(findings, this.settings);
    for (const finding of findings) this.#tell(tellFindings([finding]));
    const chosen = names.map((name) => files.find((file) => file.name === name) as WrittenMigration);
    await this.beforeAnythingRuns(method, chosen, files);
    const transaction = 'transaction' in targets ? targets.transaction : undefined;
    const done: MigrationInfo[] = [];
    for (const migration of chosen) done.push(await this.#runOne(method, migration, { schema, transaction }));
    return done;
  }

  /** Everything that can be refused is refused here, while nothing has been changed. */
  protected async beforeAnythingRuns(
    method: Method,
    chosen: WrittenMigration[],
    _all: WrittenMigration[],
  ): Promise<void> {
    for (const migration of chosen) {
      const outsider =
        migration.transactional && migration[method].find((statement) => onlyOutsideTransaction(statement));
      if (outsider) throw StatementFailed.outsider(migration.name, outsider);
    }
    if (method === 'down') return refuseLosingDown(chosen, this.driver, this.settings);
    const ask = (sql: string) => this.driver.getConnection().execute(sql);
    for (const migration of this.settings.inspect ? chosen : []) {
      // What its code decides on from the data is looked at while it runs.
      if (!migration.dynamic.up) await inspect(migration, migration.up, ask, (text) => this.#tell(text));
    }
  }

  /** One migration at a time, each with its log row: what is done stays done when a later one fails. */
  async #runOne(
    method: Method,
    migration: WrittenMigration,
    { schema, transaction }: { schema: string | undefined; transaction: unknown },
  ): Promise<MigrationInfo> {
    const run: Run = {
      migration,
      tableLockTimeout: migration.lockTimeout ?? this.settings.tableLockTimeout,
      concurrentLockTimeout: this.settings.concurrentLockTimeout,
      statementTimeout: migration.statementTimeout ?? this.settings.statementTimeout,
      attempts: this.settings.attempts,
      markIn: markedDatabase(this.driver, this.settings),
      tell: (text) => this.#tell(text),
      inspect: async (statements, ask) => {
        if (method === 'up' && migration.dynamic.up && this.settings.inspect)
          await inspect(migration, statements, ask, run.tell);
      },
    };
    if (method === 'up' && this.settings.inspect) await refuseRowsInTheWay(migration, this.driver);
    // Outside a transaction the runner tries a statement again; the whole migration again would repeat what is done.
    const attempts = migration.transactional && !transaction ? this.settings.attempts : 1;
    const [info] = await withRetries(attempts, tellRetry(run), async () => {
      this.runner.current = run;
      const { checksum, source } = migration;
      this.storage.attempt = { checksum, source, started: Date.now(), ...this.#appVersion() };
      this.options.allOrNothing = transaction !== undefined;
      return super.runMigrations(method, {
        migrations: [migration.name],
        ...(schema !== undefined && { schema }),
        ...(transaction !== undefined && { transaction: transaction as never }),
      });
    });
    if (!info) throw new Error(`${migration.name} was chosen and did not run.`);
    return info;
  }

  /** One SELECT, and no lock: the usual case of a server that starts. */
  async #nothingToDo(): Promise<boolean> {
    const lock = lockFor(this.driver, this.settings, () => {});
    // An engine inside this process must not open its files before it holds the lock.
    if (lock.engineInProcess) return false;
    const rows = await this.storage.rows();
    if (!rows) return false;
    const files = await this.readAll();
    const executed = new Set(rows.map((row) => row.name));
    return files.every(({ name }) => executed.has(name)) && examine(files, rows).length === 0;
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    return whileHolding(lockFor(this.driver, this.settings, (text) => this.#tell(text)).lock, work);
  }

  async #inSchema<T>(schema: string | undefined, work: () => Promise<T>): Promise<T> {
    this.storage.setRunSchema(schema ?? this.options.schema);
    try {
      return await work();
    } finally {
      this.storage.unsetRunSchema();
    }
  }

  async #createFromDifference(path: string | undefined, name: string | undefined): Promise<MigrationResult> {
    const drafts = await draftMigrations(this, (text) => this.#tell(text));
    if (drafts.length === 0) return { fileName: '', code: '', diff: { up: [], down: [] } };
    const { emit, pathTs, path: compiled } = this.options;
    const folder = fs.normalizePath(
      this.config.get('baseDir'),
      path ?? (emit === 'ts' && pathTs ? pathTs : (compiled ?? '')),
    );
    const result = await writeMigrations(drafts, name, (diff, own) => this.generator.generate(diff, path, own), folder);
    await this.storeCurrentSchema();
    return result;
  }

  async #tellRules(fileName: string): Promise<void> {
    const names = fileName.split(', ').map((each) => each.replace(/\.[cm]?[jt]s$/, ''));
    const written = (await this.readAll()).filter((file) => names.includes(file.name));
    const findings = written.flatMap((file) => lint(file, file.up));
    if (findings.length > 0) this.#tell(`\n${tellLint(findings)}\n`);
  }

  #appVersion() {
    return { appVersion: this.settings.appVersion };
  }

  #tell(text: string): void {
    if (this.options.silent) return;
    // MikroORM's logger would put it all on one line.
    if (runsAsCommand() && text.includes('\n')) console.log(text);
    else this.config.getLogger().log('migrator', text, { enabled: true });
  }
}

function fingerprintOf(files: WrittenMigration[], name: string): { checksum?: string; source?: string } {
  const file = files.find((each) => each.name === name);
  return file ? { checksum: file.checksum, source: file.source } : {};
}
