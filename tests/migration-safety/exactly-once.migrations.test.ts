import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { expect, test, vi } from 'vitest';
import {
  anEmbeddedProject,
  aProject,
  aSharedProject,
  askShared,
  type Project,
  type Running,
  repository,
} from './project.ts';

vi.setConfig({ testTimeout: 180_000 });

// The full form (MIGRATION_SAFETY_FULL=1) is twenty; four take the same paths in a tenth of the time.
const many = process.env.MIGRATION_SAFETY_FULL ? 20 : 4;
const history = ['create_authors_and_articles', 'add_articles_slug', 'invite_the_editor', 'index_articles_title'];

const together = <T>(start: () => PromiseLike<T>) => Promise.all(Array.from({ length: many }, start));

const validIndex = `select indisvalid as valid from pg_index where indexrelid = 'articles_title_index'::regclass`;

test('processes that migrate at the same time, from before the database exists, apply everything once', async () => {
  const project = aProject();
  const ended = await together(() => project.run('migration:up'));
  expect(ended.map(({ code }) => code)).toEqual(ended.map(() => 0));
  expect(await project.applied()).toEqual(history);
  for (const name of history) {
    expect(ended.filter(({ out }) => out.includes(`Applied 'Migration`) && out.includes(name))).toHaveLength(1);
  }
  expect(await project.query(`select count(*)::int as n from authors`)).toEqual([{ n: 1 }]);
  expect(await project.query(validIndex)).toEqual([{ valid: true }]);
});

test('servers that start at the same time with MIGRATE_ON_START=up all come up, and apply everything once', async () => {
  const project = aProject().with({ MIGRATE_ON_START: 'up' });
  const ended = await together(() => project.start(['--import', '@oxc-node/core/register', 'server.ts']));
  expect(ended.map(({ out }) => out.includes('ready'))).toEqual(ended.map(() => true));
  expect(ended.map(({ out }) => Number(/applied (\d+)/.exec(out)?.[1])).reduce((a, b) => a + b)).toBe(history.length);
  expect(await project.applied()).toEqual(history);
});

test('on the embedded database, processes that migrate at the same time apply everything once', async () => {
  const project = anEmbeddedProject();
  const ended = await together(() => project.run('migration:up'));
  expect(ended.map(({ code, out }) => code || out.includes('rror'))).toEqual(ended.map(() => false));
  const database = await PGlite.create(join(project.folder, 'data'));
  const { rows } = await database.query<{ name: string }>('select name from mikro_orm_migrations order by id');
  expect(rows.map(({ name }) => name.replace(/^Migration\d+_/, ''))).toEqual(history);
  expect((await database.query(validIndex)).rows).toEqual([{ valid: true }]);
  await database.close();
  expect(existsSync(join(project.folder, 'data.migration.lock'))).toBe(false);
});

test('on an embedded database that processes share, too, whoever has it open', async () => {
  const project = aSharedProject();
  const ended = await together(() => project.run('migration:up'));
  expect(ended.map(({ code, out }) => code || out.includes('rror'))).toEqual(ended.map(() => false));
  for (const name of history) {
    expect(ended.filter(({ out }) => new RegExp(`Applied 'Migration\\d+_${name}'`).test(out))).toHaveLength(1);
  }
  const rows = await askShared(project, 'select name from mikro_orm_migrations order by id');
  expect(rows.map(({ name }) => String(name).replace(/^Migration\d+_/, ''))).toEqual(history);
  expect(await askShared(project, 'select count(*)::int as n from authors')).toEqual([{ n: 1 }]);
  expect(await askShared(project, validIndex)).toEqual([{ valid: true }]);
});

test('there, too, a waiter carries on when the holder is killed, and the engine with it', async () => {
  const project = aSharedProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (id int)']).write(
    'migrations/Migration20260102000000_two.ts',
    `import { Migration } from '@mikro-orm/migrations';
export class Two extends Migration {
  override up(): void {
    this.addSql('insert into t values (1)');
    if (process.env.SLOW) this.addSql('select pg_sleep(600)');
  }
}
`,
  );
  const holder = project.with({ SLOW: 'yes' }).run('migration:up');
  await holder.says(`Processing 'Migration20260102000000_two'`);
  const waiter = project.with({ SLOW: '' }).run('migration:up');
  await waiter.says(`process ${holder.pid} on`);
  holder.kill('SIGKILL');
  expect(await waiter).toMatchObject({ code: 0 });
  expect(await askShared(project, 'select count(*)::int as n from t')).toEqual([{ n: 1 }]);
});

test('a command that has the engine and fails does not take it from under a migration of another', async () => {
  const project = aSharedProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (id int)']);
  await project.run('migration:up');
  project.migration('Migration20260102000000_two', [
    'insert into t values (1)',
    'select pg_sleep(2)',
    'insert into t values (2)',
  ]);
  // It reads its migrations, with the engine open, until the other one is in the midst of its own.
  waitsForMidway(project, 'Migration20260103000000_three');
  const looking = project.with({ WAITS: 'yes' }).extra('migration:sql', 'nowhere:head');
  await engineIsOpen(project);
  const migrating = project.with({ WAITS: '' }).run('migration:up');
  await migrating.says(`Processing 'Migration20260102000000_two'`);
  project.write('midway', '');
  expect(await migrating).toMatchObject({ code: 0 });
  expect(await looking).toMatchObject({ code: 10 });
  expect(await askShared(project, 'select count(*)::int as n from t')).toEqual([{ n: 2 }]);
});

test('of servers that start at the same time on one embedded folder one has it and migrates; the others say which', async () => {
  const project = aSharedProject({ history: false });
  const folder = join(project.folder, 'shared');
  project.with({
    DATABASE_URL: '',
    DATA_FOLDER: folder,
    PORT: '0',
    LOG_LEVEL: 'info',
    NODE_ENV: 'development',
    MIGRATE_ON_START: 'up',
  });
  const server = ['--import', '@oxc-node/core/register', join(repository, 'src/main.ts')];
  const servers = Array.from({ length: many === 20 ? 10 : 3 }, () => project.start(server));
  const number = await Promise.any(servers.map((each, i) => each.says('GraphQL at http').then(() => i)));
  const [first] = servers.splice(number, 1) as [Running];
  const others = await Promise.all(servers);
  for (const { code, out } of others) {
    expect(code).toBe(1);
    expect(out).toContain(`is in use by process ${first.pid} (`);
    expect(out).not.toMatch(/\n\s+at /);
  }
  first.kill('SIGTERM');
  const { code, out } = await first;
  expect(code).toBe(0);
  expect(out.match(/Applied Migration/g)).toHaveLength(
    readdirSync(join(repository, 'migrations')).filter((name) => name.endsWith('.ts')).length,
  );
});

test('a waiter carries on when the holder is killed, its last statement still running in the server', async () => {
  const project = aProject({ history: false });
  await aSlowMigration(project);
  const holder = project.run('migration:up');
  await project.query(`select 1`);
  await until(() =>
    project.query(
      `select 1 from pg_stat_activity where datname = current_database() and query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()`,
    ),
  );
  const waiter = project.run('migration:up');
  await sleep(1_500);
  await project.query('delete from pause');
  holder.kill('SIGKILL');
  expect(await waiter).toMatchObject({ code: 0 });
  expect(await project.applied()).toEqual(['pause', 'slow']);
  expect(await project.query('select count(*)::int as n from done')).toEqual([{ n: 1 }]);
});

test('who waits longer than MIGRATION_LOCK_TIMEOUT ends with its own code, told who holds the lock', async () => {
  const project = aProject({ history: false });
  await aSlowMigration(project);
  const holder = project.run('migration:up');
  await until(() =>
    project.query(
      `select 1 from pg_stat_activity where datname = current_database() and query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()`,
    ),
  );
  const waiter = await project.with({ MIGRATION_LOCK_TIMEOUT: '1s' }).run('migration:up');
  expect(waiter.code).toBe(11);
  expect(waiter.out).toContain(`held by "migrator ${holder.pid}@`);
  holder.kill('SIGKILL');
  await holder;
});

test('a migrator that loses the connection which holds the lock stops before its next migration', async () => {
  const project = aProject({ history: false });
  project
    .migration('Migration20260101000000_one', [
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'migrator %'`,
      'select pg_sleep(0.3)',
    ])
    .migration('Migration20260102000000_two', ['create table t (id int)']);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(11);
  expect(out).toContain('The lock was lost');
  expect(await project.applied()).toEqual(['one']);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
});

test('a lock file whose holder is dead is taken over', async () => {
  const project = anEmbeddedProject();
  const lock = join(project.folder, 'data.migration.lock');
  writeFileSync(lock, JSON.stringify({ pid: 999_999_999, started: '1', host: (await import('node:os')).hostname() }));
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(existsSync(lock)).toBe(false);
});

test('a lock file whose holder lives is respected', async () => {
  const project = anEmbeddedProject().with({ MIGRATION_LOCK_TIMEOUT: '1s' });
  const lock = join(project.folder, 'data.migration.lock');
  writeFileSync(lock, JSON.stringify({ pid: process.pid, started: '', host: (await import('node:os')).hostname() }));
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(11);
  expect(out).toContain(`held by process ${process.pid}`);
  expect(existsSync(join(project.folder, 'data'))).toBe(false);
});

test('a command that only looks does not open the files of an embedded database in which another process migrates', async () => {
  const project = waitsForMidway(anEmbeddedProject({ history: false }), 'Migration20260101000000_one');
  const lock = join(project.folder, 'data.migration.lock');
  const migrating = project.with({ WAITS: 'yes' }).run('migration:up');
  await until(async () => (existsSync(lock) ? [lock] : []));
  const looking = await project.with({ MIGRATION_LOCK_TIMEOUT: '300ms' }).run('migration:list');
  expect(looking.code).toBe(11);
  project.write('midway', '');
  expect(await migrating).toMatchObject({ code: 0 });
  expect((await project.run('migration:list')).out).toContain('Migration20260101000000_one');
  expect(existsSync(lock)).toBe(false);
});

test('when there is nothing to do, the start-up hook takes no lock: it passes one that somebody else holds', async () => {
  const project = aProject().with({ MIGRATE_ON_START: 'up', MIGRATION_LOCK_TIMEOUT: '1s' });
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  // Every advisory lock of the database, so that whichever it would take is taken.
  const { onServer } = await import('./project.ts');
  await onServer(project.url, async (client) => {
    const { crc32 } = await import('node:zlib');
    await client.query('select pg_advisory_lock($1, $2)', [0x6d696772, crc32(project.database) | 0]);
    const started = await project.start(['--import', '@oxc-node/core/register', 'server.ts']);
    expect(started.out).toContain('applied 0');
    expect(started.out).toContain('ready');
    project.migration('Migration20260105000000_one_more', ['select 1']);
    expect((await project.run('migration:up')).code).toBe(11);
  });
});

/** Sleeps for as long as there is a row in `pause`: ten minutes, far longer than any of these tests. */
async function aSlowMigration(project: Project) {
  project.migration('Migration20260101000000_pause', [
    'create table pause (id int); insert into pause values (1); create table done (id int)',
  ]);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  project.migration('Migration20260102000000_slow', ['select pg_sleep(600) from pause', 'insert into done values (1)']);
}

/** Adds a migration that, where WAITS is set, is not read to its end before there is a file `midway`. */
const waitsForMidway = (project: Project, name: string) =>
  project.write(
    `migrations/${name}.ts`,
    `import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Migration } from '@mikro-orm/migrations';
export class ${name} extends Migration {
  override async up(): Promise<void> {
    while (process.env.WAITS && !existsSync('midway')) await sleep(20);
  }
}
`,
  );

/** Its owner writes down who it is, before anybody can join. */
const engineIsOpen = (project: Project) =>
  until(async () => readdirSync(join(project.folder, 'shared/postgres.run')).filter((name) => name.startsWith('.s.')));

async function until(look: () => Promise<unknown[]>) {
  while ((await look()).length === 0) await sleep(50);
}
