import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { expect, test, vi } from 'vitest';
import {
  anEmbeddedProject,
  aProject,
  aSharedProject,
  type Project,
  queryShared,
  type Running,
  repository,
} from './project.ts';

vi.setConfig({ testTimeout: 180_000 });

// The full form (MIGRATION_SAFETY_FULL=1) is twenty; four take the same code paths in a tenth of the time.
const PROCESSES = process.env.MIGRATION_SAFETY_FULL ? 20 : 4;
const HISTORY = ['create_authors_and_articles', 'add_articles_slug', 'invite_the_editor', 'index_articles_title'];

const concurrently = <T>(start: () => PromiseLike<T>) => Promise.all(Array.from({ length: PROCESSES }, start));

const INDEX_VALIDITY = `select indisvalid as valid from pg_index where indexrelid = 'articles_title_index'::regclass`;

test('concurrent processes create the database and apply every migration exactly once', async () => {
  const project = aProject();
  const ended = await concurrently(() => project.run('migration:up'));
  expect(ended.map(({ code }) => code)).toEqual(ended.map(() => 0));
  expect(await project.applied()).toEqual(HISTORY);
  for (const name of HISTORY) {
    expect(ended.filter(({ out }) => out.includes(`Applied 'Migration`) && out.includes(name))).toHaveLength(1);
  }
  expect(await project.query(`select count(*)::int as n from authors`)).toEqual([{ n: 1 }]);
  expect(await project.query(INDEX_VALIDITY)).toEqual([{ valid: true }]);
});

test('concurrent migration:create write one change once, and blank migrations under different names', async () => {
  const project = aProject();
  project.edit('entities.ts', (text) => text.replace('slug: p.', 'summary: p.string().nullable(),\n    slug: p.'));
  const ended = await Promise.all([project.run('migration:create'), project.run('migration:create')]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  expect(ended.filter(({ out }) => out.includes('No changes required'))).toHaveLength(1);
  expect(project.migrations()).toHaveLength(5);
  const blank = () => project.run('migration:create', '--blank', '--name', 'by_hand');
  const both = await Promise.all([blank(), blank()]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(project.migrations()).toHaveLength(7);
  expect(readdirSync(join(project.folder, 'migrations')).filter((name) => name.includes('lock'))).toEqual([]);
});

test('servers that start concurrently with MIGRATE_ON_START=up all become ready and apply every migration exactly once', async () => {
  const project = aProject().with({ MIGRATE_ON_START: 'up' });
  const ended = await concurrently(() => project.start(['--import', '@oxc-node/core/register', 'server.ts']));
  expect(ended.map(({ out }) => out.includes('ready'))).toEqual(ended.map(() => true));
  expect(ended.map(({ out }) => Number(/applied (\d+)/.exec(out)?.[1])).reduce((a, b) => a + b)).toBe(HISTORY.length);
  expect(await project.applied()).toEqual(HISTORY);
});

test('on the embedded database, concurrent processes apply every migration exactly once', async () => {
  const project = anEmbeddedProject();
  const ended = await concurrently(() => project.run('migration:up'));
  expect(ended.map(({ code, out }) => code || out.includes('rror'))).toEqual(ended.map(() => false));
  const database = await PGlite.create(join(project.folder, 'data'));
  const { rows } = await database.query<{ name: string }>('select name from mikro_orm_migrations order by id');
  expect(rows.map(({ name }) => name.replace(/^Migration\d+_/, ''))).toEqual(HISTORY);
  expect((await database.query(INDEX_VALIDITY)).rows).toEqual([{ valid: true }]);
  await database.close();
  expect(existsSync(join(project.folder, 'data.migration.lock'))).toBe(false);
});

test('on a shared embedded database, concurrent processes apply every migration exactly once', async () => {
  const project = aSharedProject();
  const ended = await concurrently(() => project.run('migration:up'));
  expect(ended.map(({ code, out }) => code || out.includes('rror'))).toEqual(ended.map(() => false));
  for (const name of HISTORY) {
    expect(ended.filter(({ out }) => new RegExp(`Applied 'Migration\\d+_${name}'`).test(out))).toHaveLength(1);
  }
  const rows = await queryShared(project, 'select name from mikro_orm_migrations order by id');
  expect(rows.map(({ name }) => String(name).replace(/^Migration\d+_/, ''))).toEqual(HISTORY);
  expect(await queryShared(project, 'select count(*)::int as n from authors')).toEqual([{ n: 1 }]);
  expect(await queryShared(project, INDEX_VALIDITY)).toEqual([{ valid: true }]);
});

test('on a shared embedded database, a waiter takes over when the lock holder is killed together with the engine', async () => {
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
  await holder.printed(`Processing 'Migration20260102000000_two'`);
  const waiter = project.with({ SLOW: '' }).run('migration:up');
  await waiter.printed(`process ${holder.pid} on`);
  holder.kill('SIGKILL');
  expect(await waiter).toMatchObject({ code: 0 });
  expect(await queryShared(project, 'select count(*)::int as n from t')).toEqual([{ n: 1 }]);
});

test('a failing command that owns the shared engine keeps it open until the migration of another process is done', async () => {
  const project = aSharedProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (id int)']);
  await project.run('migration:up');
  project.migration('Migration20260102000000_two', [
    'insert into t values (1)',
    'select pg_sleep(2)',
    'insert into t values (2)',
  ]);
  // It keeps reading its migrations, with the engine open, until the other process is in the middle of migrating.
  waitsForFile(project, 'Migration20260103000000_three');
  const reading = project.with({ WAITS: 'yes' }).extra('migration:sql', 'nowhere:head');
  await engineIsOpen(project);
  const migrating = project.with({ WAITS: '' }).run('migration:up');
  await migrating.printed(`Processing 'Migration20260102000000_two'`);
  project.write('continue', '');
  expect(await migrating).toMatchObject({ code: 0 });
  expect(await reading).toMatchObject({ code: 10 });
  expect(await queryShared(project, 'select count(*)::int as n from t')).toEqual([{ n: 2 }]);
});

test('of servers that start concurrently on one data folder, one migrates and the others name its process', async () => {
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
  const servers = Array.from({ length: PROCESSES === 20 ? 10 : 3 }, () => project.start(server));
  const number = await Promise.any(servers.map((each, i) => each.printed('GraphQL at http').then(() => i)));
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

test('a waiter takes over when the lock holder is killed, after its last statement has ended on the server', async () => {
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

test('waiting longer than MIGRATION_LOCK_TIMEOUT fails with its own exit code and names the lock holder', async () => {
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

test('a migrator that loses the connection holding the lock stops before the next migration', async () => {
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

test('a lock file whose holder is dead is removed', async () => {
  const project = anEmbeddedProject();
  const lock = join(project.folder, 'data.migration.lock');
  writeFileSync(lock, JSON.stringify({ pid: 999_999_999, started: '1', host: (await import('node:os')).hostname() }));
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(existsSync(lock)).toBe(false);
});

test('a lock file whose holder is alive is respected', async () => {
  const project = anEmbeddedProject().with({ MIGRATION_LOCK_TIMEOUT: '1s' });
  const lock = join(project.folder, 'data.migration.lock');
  writeFileSync(lock, JSON.stringify({ pid: process.pid, started: '', host: (await import('node:os')).hostname() }));
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(11);
  expect(out).toContain(`held by process ${process.pid}`);
  expect(existsSync(join(project.folder, 'data'))).toBe(false);
});

test('a reading command does not open the files of an embedded database while another process migrates it', async () => {
  const project = waitsForFile(anEmbeddedProject({ history: false }), 'Migration20260101000000_one');
  const lock = join(project.folder, 'data.migration.lock');
  const migrating = project.with({ WAITS: 'yes' }).run('migration:up');
  await until(async () => (existsSync(lock) ? [lock] : []));
  const reading = await project.with({ MIGRATION_LOCK_TIMEOUT: '300ms' }).run('migration:list');
  expect(reading.code).toBe(11);
  project.write('continue', '');
  expect(await migrating).toMatchObject({ code: 0 });
  expect((await project.run('migration:list')).out).toContain('Migration20260101000000_one');
  expect(existsSync(lock)).toBe(false);
});

test('with nothing pending, a starting server takes no lock, even if another session holds it', async () => {
  const project = aProject().with({ MIGRATE_ON_START: 'up', MIGRATION_LOCK_TIMEOUT: '1s' });
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  // The lock that a migrator of this database takes.
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

/** Sleeps for ten minutes, longer than any of these tests, if there is a row in `pause`. */
async function aSlowMigration(project: Project) {
  project.migration('Migration20260101000000_pause', [
    'create table pause (id int); insert into pause values (1); create table done (id int)',
  ]);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  project.migration('Migration20260102000000_slow', ['select pg_sleep(600) from pause', 'insert into done values (1)']);
}

/** Adds a migration that, if WAITS is set, blocks while it is read until there is a file `continue`. */
const waitsForFile = (project: Project, name: string) =>
  project.write(
    `migrations/${name}.ts`,
    `import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Migration } from '@mikro-orm/migrations';
export class ${name} extends Migration {
  override async up(): Promise<void> {
    while (process.env.WAITS && !existsSync('continue')) await sleep(20);
  }
}
`,
  );

/** Waits for the socket of the process that has the engine open. */
const engineIsOpen = (project: Project) =>
  until(async () => readdirSync(join(project.folder, 'shared/postgres.run')).filter((name) => name.startsWith('.s.')));

async function until(query: () => Promise<unknown[]>) {
  while ((await query()).length === 0) await sleep(50);
}
