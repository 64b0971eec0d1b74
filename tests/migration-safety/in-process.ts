import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { type EntityMetadata, Routine } from '@mikro-orm/core';
import { MikroORM } from '@mikro-orm/postgresql';
import { Client } from 'pg';
import { onTestFinished } from 'vitest';
import { type Catalog, readCatalog } from '../../src/migration-safety/catalog/catalog.ts';
import { type Migrator, safeMigrations } from '../../src/migration-safety/index.ts';
import { lintAll, RULES } from '../../src/migration-safety/lint/lint.ts';
import { timestamp } from '../../src/migration-safety/lock/create-lock.ts';
import { readSettings, type Settings } from '../../src/migration-safety/settings.ts';
import { checkMigrations, type Fault } from '../../src/migration-safety/verify/check.ts';
import { testRoundTrips } from '../../src/migration-safety/verify/test-history.ts';
import { onServer, repository } from './project.ts';

// Each command opens databases in memory, for seconds: optimizing the code of the engine takes longer than it saves.
setFlagsFromString('--liftoff-only');

const server = process.env.TEST_SERVER_URL ?? 'postgres://postgres@127.0.0.1:5432';

/** The entities and routines of a version of an application, made anew at each call: MikroORM completes them in place. */
export type Model = () => unknown[];

export interface VersionOptions {
  /** MIGRATION_RENAMES. */
  renames?: string;
  /** Whether its data may be lost; true by default. */
  disposable?: boolean;
  /** Changes the metadata of entities that are classes. */
  onMetadata?: (meta: EntityMetadata) => void;
}

/** The rows of each table, as JSON. */
export type Rows = Record<string, Record<string, unknown>[]>;

/**
 * An application whose entities change, with its migrations in a temporary folder and its database on the server. It
 * runs the migrator that the commands run, in this process, where a command would take seconds to start.
 */
export class Application {
  private readonly folder = mkdtempSync(join(tmpdir(), 'everyday-changes-'));
  /** The migrations. Another folder after each edit, since a module is loaded once. */
  migrations = join(this.folder, 'migrations-0');
  private copies = 0;
  private database = '';
  private model: Model = () => [];
  private options: VersionOptions = {};
  private orm: MikroORM | undefined;
  private client: Client | undefined;
  readonly logged: string[] = [];

  /** With an empty database, or a copy of another application's database and migrations. */
  static async start(template?: Application): Promise<Application> {
    const application = new Application();
    application.database = `conduit_test_${randomBytes(6).toString('hex')}`;
    mkdirSync(application.migrations);
    symlinkSync(join(repository, 'node_modules'), join(application.folder, 'node_modules'));
    if (template) {
      await template.disconnect();
      cpSync(template.migrations, application.migrations, { recursive: true });
    }
    const copied = template ? ` template "${template.database}"` : '';
    await onServer(`${server}/postgres`, (client) =>
      client.query(`create database "${application.database}"${copied}`),
    );
    return application;
  }

  /** Deploys another version: its entities replace those of before. */
  async become(model: Model, options: VersionOptions = {}): Promise<this> {
    [this.model, this.options] = [model, options];
    await this.orm?.close(true);
    this.orm = undefined;
    return this;
  }

  /** `migration:create`: the names of the files that it writes. */
  async create(): Promise<string[]> {
    const { fileName } = await (await this.migrator()).create();
    return fileName === '' ? [] : fileName.split(', ');
  }

  /** Writes a migration by hand. */
  async write(name: string, up: string[], down: string[]): Promise<void> {
    const [, newest = '0'] = /(\d{14})/.exec(this.files().at(-1) ?? '') ?? [];
    const time = Math.max(Number(timestamp(Date.now())), Number(newest) + 1);
    const add = (statements: string[]) =>
      statements.map((sql) => `    this.addSql(${JSON.stringify(sql)});`).join('\n');
    const className = `Migration${time}_${name}`;
    await this.edit(className, () =>
      [
        "import { Migration } from '@mikro-orm/migrations';\n",
        `export class ${className} extends Migration {`,
        `  override up(): void {\n${add(up)}\n  }\n`,
        `  override down(): void {\n${add(down)}\n  }\n}\n`,
      ].join('\n'),
    );
  }

  /** Says in these migrations why they are safe. */
  async assure(names: string[], codes: string[]): Promise<void> {
    const known = codes.filter((code) => RULES.some((rule) => rule.code === code));
    if (known.length === 0) return;
    const reasons = known.map((code) => `'${code}': 'The test says that it is safe here.'`).join(', ');
    for (const name of names)
      await this.edit(name.replace(/\.ts$/, ''), (text) =>
        text.replace(/extends Migration \{\n/, `$&\n  safeBecause = { ${reasons} };\n`),
      );
  }

  async up(): Promise<void> {
    await (await this.migrator()).up();
  }

  /** Gives the fills of these migrations a value for the existing rows, as SQL. */
  async fill(names: string[], value: string): Promise<void> {
    for (const name of names)
      await this.edit(name.replace(/\.ts$/, ''), (text) =>
        text.replace('/* the value for existing rows */ null', value),
      );
  }

  /** The codes of what lint says of these migrations. */
  async lint(names: string[]): Promise<string[]> {
    const findings = lintAll(await (await this.migrator()).readMigrations());
    return findings.filter(({ migration }) => names.includes(`${migration}.ts`)).map(({ code }) => code);
  }

  get url(): string {
    return `${server}/${this.database}`;
  }

  /** `migration:down`, until this migration is the newest applied one. */
  async downTo(name: string | undefined): Promise<void> {
    await (await this.migrator()).down({ to: name ?? 0 } as never);
  }

  /** `migration:check`, as one text per fault. */
  async faults(): Promise<string[]> {
    return textsOf((await checkMigrations(await this.migrator(), { offline: false })).faults);
  }

  /** `migration:test`, as one text per fault. */
  async roundTripFaults(): Promise<string[]> {
    return textsOf((await testRoundTrips(await this.migrator())).faults);
  }

  files(): string[] {
    return readdirSync(this.migrations)
      .filter((name) => name.startsWith('Migration'))
      .sort();
  }

  /** The text of all migrations, or of these. */
  source(names = this.files()): string {
    return names.map((name) => readFileSync(join(this.migrations, name), 'utf8')).join('\n');
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    if (!this.client) {
      this.client = new Client(this.url);
      await this.client.connect();
    }
    return (await this.client.query(sql)).rows;
  }

  catalog(): Promise<Catalog> {
    return readCatalog((sql) => this.query(sql), 'mikro_orm_migrations');
  }

  async rows(): Promise<Rows> {
    const tables = await this.query(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
        and c.relname not like 'mikro_orm_migrations%' order by 1`,
    );
    const rows: Rows = {};
    for (const { name } of tables) {
      const found = await this.query(`select to_jsonb(t) as row from ${name} t order by to_jsonb(t)::text`);
      rows[String(name)] = found.map(({ row }) => row as Record<string, unknown>);
    }
    return rows;
  }

  async dispose(): Promise<void> {
    await this.disconnect();
    rmSync(this.folder, { recursive: true, force: true });
    await onServer(`${server}/postgres`, (client) =>
      client.query(`drop database if exists "${this.database}" with (force)`),
    );
  }

  private async migrator(): Promise<Migrator> {
    const declared = this.orm ? [] : this.model();
    this.orm ??= await MikroORM.init({
      clientUrl: this.url,
      entities: declared.filter((each) => !(each instanceof Routine)) as never,
      routines: declared.filter((each) => each instanceof Routine),
      discovery: {
        warnWhenNoEntities: false,
        ...(this.options.onMetadata && { onMetadata: this.options.onMetadata }),
      },
      logger: (line) => this.logged.push(line),
      baseDir: this.folder,
      preferTs: true,
      ...safeMigrations({ path: this.migrations, pathTs: this.migrations }),
    });
    const migrator = this.orm.migrator as unknown as Migrator;
    const { renames, disposable = true } = this.options;
    migrator.settings = { ...readSettings(), renames, disposable: disposable ? [this.database] : [] } as Settings;
    return migrator;
  }

  private async edit(name: string, change: (text: string) => string): Promise<void> {
    const before = this.migrations;
    this.migrations = join(this.folder, `migrations-${++this.copies}`);
    cpSync(before, this.migrations, { recursive: true });
    const file = `${name}.ts`;
    const text = this.files().includes(file) ? readFileSync(join(this.migrations, file), 'utf8') : '';
    writeFileSync(join(this.migrations, file), change(text));
    await this.become(this.model, this.options);
  }

  private async disconnect(): Promise<void> {
    await this.client?.end();
    this.client = undefined;
    await this.become(this.model, this.options);
  }
}

/** An application that is deleted after the test. */
export async function anApplication(template?: Application): Promise<Application> {
  const application = await Application.start(template);
  onTestFinished(() => application.dispose());
  return application;
}

const textsOf = (faults: Fault[]) =>
  faults.map(({ kind, says, details }) => [`${kind}: ${says}`, ...details].join('\n'));
