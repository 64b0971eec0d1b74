import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MikroORM } from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { expect, test, vi } from 'vitest';
import { toProblem } from '../../src/migration-safety/command-line.ts';
import { Migrator, safeMigrations } from '../../src/migration-safety/index.ts';
import { aProject, repository } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

test('a failing statement is reported with its migration, its number, a caret and the outcome', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [
    'create table t (id int)',
    'alter table t\n  add column more txet not null',
  ]);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(12);
  expect(out).toContain(
    'Migration20260101000000_one (up), statement 2 of 2 failed: type "txet" does not exist (42704)',
  );
  expect(out).toContain('  |   add column more txet not null\n  |                   ^');
  expect(out).toContain('nothing of it remains');
  expect(out).not.toMatch(/Options:|\n\s+at |Error:/);
});

test('a query or a line of code that fails inside a migration is reported with its migration', async () => {
  const failing: [code: string, says: string[]][] = [
    [
      `await this.execute('select 1');\n    await this.execute('select nothing from here');`,
      [
        'Migration20260101000000_one (up), this.execute(…) failed: relation "here" does not exist (42P01)',
        '  | select nothing from here\n  |                     ^',
        'nothing of it remains',
      ],
    ],
    [`await this.execute('select 1');\n    throw new Error('no such thing');`, ['_one (up) failed: no such thing']],
  ];
  for (const [body, says] of failing) {
    const project = aProject({ history: false });
    project.write(
      'migrations/Migration20260101000000_one.ts',
      `import { Migration } from '@mikro-orm/migrations';
export class Migration20260101000000_one extends Migration {
  override async up(): Promise<void> {
    ${body}
  }
}`,
    );
    const { code, out } = await project.run('migration:up');
    expect(code).toBe(12);
    for (const each of says) expect(out).toContain(each);
    expect(out).not.toMatch(/Options:|\n\s+at |Unexpected error/);
  }
});

test('an index that a failed build left invalid is named, not denied', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [`create table t (a text); insert into t values ('x'), ('X')`]);
  project.migration(
    'Migration20260102000000_two',
    ['create unique index concurrently t_a on t (lower(a))'],
    [],
    '  override isTransactional() {\n    return false;\n  }\n',
  );
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(12);
  expect(out).toContain('The index t_a remains, INVALID');
  expect(out).not.toContain('nothing of this migration remains');
});

test('a migration without a down is refused before those after it are reverted', async () => {
  const project = aProject({ history: false });
  project
    .write(
      'migrations/Migration20260101000000_one.ts',
      `import { Migration } from '@mikro-orm/migrations';
export class Migration20260101000000_one extends Migration {
  override up(): void {
    this.addSql('create table t (id int)');
  }
}`,
    )
    .migration('Migration20260102000000_two', ['create index t_id on t (id)'], ['drop index t_id']);
  await project.run('migration:up');
  const { code, out } = await project.run('migration:down', '--to', 'base');
  expect(code).toBe(12);
  expect(out).toContain('Migration20260101000000_one cannot be reverted: it has no down. Nothing was changed.');
  expect(await project.applied()).toEqual(['one', 'two']);
});

test('a name that is too long and a folder that cannot be used are errors for people', async () => {
  const project = aProject();
  const long = await project.run('migration:create', '--blank', '--name', 'a'.repeat(300));
  expect(long.code).toBe(24);
  expect(long.out).toContain('--name is too long by');
  const file = await project.run('migration:create', '--blank', '--path', 'package.json/migrations');
  expect(file.code).toBe(17);
  expect(file.out).toMatch(/Cannot create the folder .*package.json\/migrations: a part of the path is a file/);
  for (const { out } of [long, file]) expect(out).not.toMatch(/Options:|\n\s+at |Unexpected error/);
  for (const [code, says] of [
    ['EACCES', 'the user of this command lacks the permission'],
    ['EROFS', 'the file system is read-only'],
    ['ENAMETOOLONG', 'the name is too long'],
  ]) {
    const error = Object.assign(new Error('failed'), { code, syscall: 'open', path: '/srv/migrations/x.ts' });
    expect(toProblem(error, {})).toMatchObject({
      kind: 'inaccessible',
      message: expect.stringContaining(`Cannot use the file /srv/migrations/x.ts: ${says}`),
    });
  }
});

test('an unreachable server is named without the password', async () => {
  const project = aProject().with({ DATABASE_URL: 'postgres://somebody:hunter2hunter2@127.0.0.1:1/there' });
  for (const command of ['migration:up', 'migration:down', 'migration:list', 'migration:pending']) {
    const { code, out } = await project.run(command);
    expect(code).toBe(40);
    expect(out).toContain('127.0.0.1:1 as somebody');
    expect(out).not.toContain('hunter2');
    expect(out).not.toMatch(/Options:|\n\s+at /);
  }
});

test('a migration whose code is broken is named before any migration runs', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (id int)']);
  project.migration('Migration20260102000000_two', [], [], `  oops = (undefined as never as { a: { b: 1 } }).a.b;\n`);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(16);
  expect(out).toContain('Migration20260102000000_two cannot be read');
});

test('with --json, errors are JSON as well', async () => {
  const away = aProject().with({ DATABASE_URL: 'postgres://somebody:hunter2hunter2@127.0.0.1:1/there' });
  for (const command of ['status', 'history', 'current', 'plan', 'check']) {
    const { code, stdout } = await away.extra(`migration:${command}`, '--json');
    expect([command, code]).toEqual([command, 40]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, faults: [{ kind: 'unreachable', exitCode: 40 }] });
    expect(stdout).not.toContain('hunter2');
  }
  const broken = aProject({ history: false }).write('migrations/Migration20260101000000_one.ts', 'no code');
  const { code, stdout } = await broken.extra('migration:status', '--json');
  expect(code).toBe(16);
  expect(JSON.parse(stdout).faults[0].says).toContain('Migration20260101000000_one cannot be read');
});

test('lines have colours at a terminal or with FORCE_COLOR only', async () => {
  const project = aProject().with({ NO_COLOR: '' });
  const plain = await project.run('migration:up');
  expect(plain.out).toContain('Successfully migrated up');
  expect(plain.out).not.toContain('\u001b[');
  expect((await project.with({ FORCE_COLOR: '1' }).run('migration:up')).out).toContain('\u001b[');
});

test('a usage error is one line, without the help', async () => {
  const project = aProject();
  const typos: [command: string[], says: string][] = [
    [[], 'No command was given.'],
    [['migration:stauts'], 'Did you mean migration:status?'],
    [['migration:status', '--jsn'], 'Unknown argument: jsn'],
    [['migration:up', '--too', 'x'], 'Unknown argument: too'],
  ];
  for (const [command, says] of typos) {
    const { code, out } = await project.extra(...command);
    expect(code).toBe(1);
    expect(out).toContain(says);
    expect(out).not.toMatch(/Options:|\n\s+at /);
  }
});

test('npm run migration runs a command by its name, and lists the commands without a name or with a wrong one', async () => {
  const npm = (...args: string[]) =>
    promisify(execFile)('npm', ['run', '--silent', 'migration', ...args], { cwd: repository }).catch((error) => error);
  const list = /\n {2}up +\w.*\n {2}status +\w.*\n {2}repair +\w/s;
  for (const [args, says] of [
    [[], 'Usage: npm run migration <command>'],
    [['stauts'], 'There is no command "stauts".'],
  ] as const) {
    const { code, stderr } = await npm(...args);
    expect([args, code]).toEqual([args, 1]);
    expect(stderr).toContain(says);
    expect(stderr).toMatch(list);
  }
  expect(await npm('lint', '--', '--rules')).toMatchObject({
    stdout: expect.stringContaining('blocking-index (error)'),
  });
  expect((await aProject().extra('migration', 'sql', '+1:2')).out).toContain('There is no migration +1');
});

test('an invalid setting is reported by name, without the help and a stack trace', async () => {
  const project = aProject();
  const config = ['--config', join(repository, 'mikro-orm.config.ts')];
  const faults: [environment: Record<string, string>, says: string][] = [
    [{ DATABASE_URL: 'nonsense' }, 'DATABASE_URL must be a URL such as'],
    [{ DATABASE_URL: 'postgres://127.0.0.1:5432' }, 'DATABASE_URL must be a URL such as'],
    [{ DATABASE_URL: project.url, MIGRATION_DATABASE_URL: 'a secret' }, 'MIGRATION_DATABASE_URL must be a URL such as'],
    [{ DATABASE_URL: '', DATA_FOLDER: join(project.folder, 'package.json') }, 'package.json'],
  ];
  for (const [environment, says] of faults) {
    project.environment = environment;
    for (const { code, out } of await Promise.all([
      project.run('migration:up', ...config),
      project.extra('migration:status', ...config),
    ])) {
      expect(out).toContain(says);
      expect(out).not.toMatch(/Options:|\n\s+at |a secret/);
      expect(code).toBe(24);
    }
  }
});

test('the safe migrator is plugged in under the class name that MikroORM looks for', async () => {
  const orm = await MikroORM.init({
    driver: PostgreSqlDriver,
    dbName: 'none',
    entities: [],
    discovery: { warnWhenNoEntities: false },
    ...safeMigrations(),
  });
  expect(Migrator.name).toBe('Migrator');
  expect(orm.migrator).toBeInstanceOf(Migrator);
  expect(orm.config.get('extensions')).toEqual([Migrator]);
  expect(orm.config.get('migrations').allOrNothing).toBe(false);
});
