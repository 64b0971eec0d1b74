import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, test, vi } from 'vitest';
import { aProject } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

test('a migration that finds its table busy steps back, lets readers pass, and succeeds when the table is free', async () => {
  const project = aProject({ history: false }).with({
    MIGRATION_TABLE_LOCK_TIMEOUT: '400ms',
    MIGRATION_ATTEMPTS: '20',
  });
  project.migration('Migration20260101000000_one', ['create table t (id int)']);
  await project.run('migration:up');
  project.migration('Migration20260102000000_two', ['alter table t add column more int']);

  const reader = new Client(project.url);
  await reader.connect();
  await reader.query('begin; select * from t');
  const migrating = project.run('migration:up');
  // Reads that time out are reads that queued behind the waiting ALTER for longer than its lock_timeout and a half second.
  const other = new Client(project.url);
  await other.connect();
  await other.query(`set statement_timeout = '900ms'`);
  for (const end = Date.now() + 4_000; Date.now() < end; await sleep(20)) await other.query('select * from t');
  await reader.query('commit');

  const { code, out } = await migrating;
  expect(code).toBe(0);
  expect(out).toContain('the table is busy; attempt 1 of 20');
  expect(await project.applied()).toEqual(['one', 'two']);
  await Promise.all([reader.end(), other.end()]);
});

test('a table that stays busy ends the command with its own code, and nothing of the migration remains', async () => {
  const project = aProject({ history: false }).with({ MIGRATION_TABLE_LOCK_TIMEOUT: '100ms', MIGRATION_ATTEMPTS: '2' });
  project.migration('Migration20260101000000_one', ['create table t (id int)']);
  await project.run('migration:up');
  project.migration('Migration20260102000000_two', ['create table u (id int)', 'alter table t add column more int']);
  const reader = new Client(project.url);
  await reader.connect();
  await reader.query('begin; select * from t');
  const before = await project.dump();
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(14);
  expect(out).toContain('statement 2 of 2 failed');
  expect(await project.dump()).toBe(before);
  await reader.end();
});

test('a migration says how long it may wait and run, over the environment', async () => {
  const project = aProject({ history: false }).with({ MIGRATION_STATEMENT_TIMEOUT: '10min' });
  const settings = `create table said as select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement`;
  project.migration(
    'Migration20260101000000_one',
    [settings],
    [],
    `  lockTimeout = '7s';\n  statementTimeout = '5min';\n`,
  );
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.query('select * from said')).toEqual([{ lock: '7s', statement: '5min' }]);
});

test('a statement that runs too long is stopped', async () => {
  const project = aProject({ history: false }).with({ MIGRATION_STATEMENT_TIMEOUT: '200ms' });
  project.migration('Migration20260101000000_one', ['select pg_sleep(600)']);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(12);
  expect(out).toContain('MIGRATION_STATEMENT_TIMEOUT');
});

test('a duration without a unit is refused, not guessed', async () => {
  const { code, out } = await aProject().with({ MIGRATION_LOCK_TIMEOUT: '30' }).run('migration:up');
  expect(code).toBe(24);
  expect(out).toContain('MIGRATION_LOCK_TIMEOUT is "30"; it must be a duration with a unit');
});
