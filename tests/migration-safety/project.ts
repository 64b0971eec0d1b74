import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, onTestFinished } from 'vitest';
import { embeddedFolder } from '../../src/database/open-database.ts';
import { openEmbeddedDatabase } from '../../src/embedded-postgres/embedded-database.ts';

export const repository = resolve(import.meta.dirname, '../..');
const compiled = join(tmpdir(), 'conduit-test-compiled');
const server = process.env.TEST_SERVER_URL ?? 'postgres://postgres@127.0.0.1:5432';

export interface Ended {
  code: number | null;
  /** Standard output and standard error, without colours. */
  out: string;
  stdout: string;
}

export interface Running extends PromiseLike<Ended> {
  pid: number;
  /** Resolves when this has been printed. */
  printed(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** A project in a temporary folder, with its own database, used only through the real commands. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'migration-safety-'));
  readonly database = `migsafe_test_${randomBytes(6).toString('hex')}`;
  readonly url = `${server}/${this.database}`;
  environment: Record<string, string> = { DATABASE_URL: this.url };
  private readonly running = new Set<ChildProcess>();

  constructor({ history = true } = {}) {
    const sample = join(import.meta.dirname, 'sample');
    cpSync(sample, this.folder, { recursive: true, filter: (path) => history || !/Migration\d+/.test(path) });
    mkdirSync(join(this.folder, 'migrations'), { recursive: true });
    symlinkSync(join(repository, 'node_modules'), join(this.folder, 'node_modules'));
    for (const file of ['mikro-orm.config.ts', 'server.ts']) {
      this.edit(file, (text) => text.replaceAll('../../../src', join(repository, 'src')));
    }
  }

  /** A stock command, as `npx mikro-orm` runs it. */
  run(...args: string[]): Running {
    return this.start([join(this.folder, 'node_modules/.bin/mikro-orm'), ...args]);
  }

  /** A command of cli/command.ts, as the npm scripts run it. */
  extra(...args: string[]): Running {
    return this.start([
      '--import',
      '@oxc-node/core/register',
      join(repository, 'src/migration-safety/cli/command.ts'),
      ...args,
    ]);
  }

  start(args: string[]): Running {
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      // A command takes a second to start; compiled code saves a tenth of it.
      env: { ...clean(process.env), NO_COLOR: '1', NODE_COMPILE_CACHE: compiled, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => (out += chunk));
    const printed = async (text: string) => {
      while (!out.includes(text)) {
        if (child.exitCode !== null) throw new Error(`The command ended without printing "${text}":\n${out}`);
        await sleep(20);
      }
    };
    this.running.add(child);
    child.on('close', () => this.running.delete(child));
    const ended = new Promise<Ended>((done) => child.on('close', (code) => done({ code, out, stdout })));
    return {
      pid: child.pid ?? 0,
      printed,
      kill: (signal) => child.kill(signal),
      // biome-ignore lint/suspicious/noThenProperty: a running command can be awaited, and killed before that.
      then: (...args) => ended.then(...args),
    };
  }

  /** A stock command at a terminal, made by script(1), with this input when it asks a question. */
  async atTerminal(typed: string, ...args: string[]): Promise<Omit<Ended, 'stdout'>> {
    const command = [process.execPath, join(this.folder, 'node_modules/.bin/mikro-orm'), ...args].join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: this.folder,
      env: { ...clean(process.env), NO_COLOR: '1', TERM: 'dumb', ...this.environment },
    });
    let out = '';
    child.stdout.on('data', (chunk) => {
      const asked = out.includes('Which?');
      out += chunk;
      if (!asked && out.includes('Which?')) child.stdin.write(typed);
    });
    const code = await new Promise<number | null>((done) => child.on('close', done));
    return { code, out: out.replaceAll('\r', '') };
  }

  with(environment: Record<string, string>): this {
    this.environment = { ...this.environment, ...environment };
    return this;
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  write(path: string, text: string): this {
    writeFileSync(join(this.folder, path), text);
    return this;
  }

  edit(path: string, change: (text: string) => string): this {
    return this.write(path, change(this.read(path)));
  }

  remove(path: string): this {
    unlinkSync(join(this.folder, path));
    return this;
  }

  migrations(): string[] {
    return readdirSync(join(this.folder, 'migrations'))
      .filter((name) => name.startsWith('Migration'))
      .sort();
  }

  /** Adds a migration with these statements for `up` and `down`, and other members of its class in `body`. */
  migration(name: string, up: string[], down: string[] = [], body = ''): this {
    const add = (statements: string[]) =>
      statements.map((sql) => `    this.addSql(${JSON.stringify(sql)});`).join('\n');
    return this.write(
      `migrations/${name}.ts`,
      `import { Migration } from '@mikro-orm/migrations';\n\nexport class ${name} extends Migration {\n${body}\n  override up(): void {\n${add(up)}\n  }\n\n  override down(): void {\n${add(down)}\n  }\n}\n`,
    );
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    return onServer(this.url, (client) => client.query(sql).then((result) => result.rows));
  }

  /** The names in the tracking table, in the order they were applied. */
  async applied(): Promise<string[]> {
    const rows = await this.query('select name from mikro_orm_migrations order by id');
    return rows.map((row) => String(row.name).replace(/^Migration\d+_/, ''));
  }

  async dump(): Promise<string> {
    const child = spawn('pg_dump', ['-s', '--no-owner', this.url], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    await new Promise((done) => child.on('close', done));
    // Newer versions of pg_dump print a random key in every dump.
    return out.replace(/^\\(un)?restrict .*$/gm, '');
  }

  async dispose(): Promise<void> {
    // Left by a failed test.
    for (const child of this.running) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    await onServer(`${server}/postgres`, (client) =>
      client.query(`drop database if exists "${this.database}" with (force)`),
    );
  }
}

/** A project that is deleted after the test. */
export function aProject(options?: { history?: boolean }): Project {
  const project = new Project(options);
  onTestFinished(() => project.dispose());
  return project;
}

let migrated: Project | undefined;
afterAll(async () => migrated?.dispose());

/** A project with all migrations applied. The database is copied from a template in a tenth of the time. */
export async function aMigratedProject(): Promise<Project> {
  if (!migrated) {
    migrated = new Project();
    const { code, out } = await migrated.run('migration:up');
    if (code !== 0) throw new Error(out);
  }
  const project = aProject();
  const [copy, original] = [project.database, migrated.database];
  await onServer(`${server}/postgres`, (client) => client.query(`create database "${copy}" template "${original}"`));
  return project;
}

/** A project on an embedded database inside each process. */
export function anEmbeddedProject(options?: { history?: boolean }): Project {
  const project = aProject(options);
  return project.with({ DATA_FOLDER: join(project.folder, 'data') });
}

/** A project on an embedded database in one process, which the others use over its socket. */
export function aSharedProject(options?: { history?: boolean }): Project {
  const project = aProject(options);
  return project.with({ SHARED_FOLDER: join(project.folder, 'shared') });
}

/** Queries the shared embedded database of a project, as another process. */
export async function queryShared(project: Project, sql: string): Promise<Record<string, unknown>[]> {
  const embedded = await openEmbeddedDatabase({ folder: embeddedFolder(join(project.folder, 'shared')) });
  const { host, port, user, dbName } = embedded.connection;
  const client = new Client({ host, port, user, database: dbName });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
    await embedded.close();
  }
}

export async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The environment without the variables of the test runner and of the developer's shell that affect the commands. */
function clean(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign =
    /^(MIGRATION_|MIKRO_ORM_|DISPOSABLE_DATABASES|DATABASE_URL|DB_|DATA_FOLDER|NODE_OPTIONS|VITEST|FORCE_COLOR)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.test(name)));
}
