import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { expect, test, vi } from 'vitest';
import { anEmbeddedProject, aProject, type Project } from './project.ts';

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

async function until(look: () => Promise<unknown[]>) {
  while ((await look()).length === 0) await sleep(50);
}
