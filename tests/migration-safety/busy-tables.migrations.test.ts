import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { expect, test, vi } from 'vitest';
import { anEmbeddedProject, aProject, aSharedProject, queryShared } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

// The full form (MIGRATION_SAFETY_FULL=1): a reader of ten seconds, and the default timeouts.
const BUSY = process.env.MIGRATION_SAFETY_FULL
  ? { environment: {}, reads: 10_000, bound: '3500ms' }
  : { environment: { MIGRATION_TABLE_LOCK_TIMEOUT: '400ms', MIGRATION_ATTEMPTS: '20' }, reads: 4_000, bound: '900ms' };

test('a migration whose table is busy backs off, lets reads through, and succeeds once the table is free', async () => {
  const project = aProject({ history: false }).with(BUSY.environment);
  project.migration('Migration20260101000000_one', ['create table t (id int)']);
  await project.run('migration:up');
  project.migration('Migration20260102000000_two', ['alter table t add column more int']);

  const reader = new Client(project.url);
  await reader.connect();
  await reader.query('begin; select * from t');
  const migrating = project.run('migration:up');
  // A read that times out has queued behind the waiting ALTER for half a second longer than its lock_timeout.
  const other = new Client(project.url);
  await other.connect();
  await other.query(`set statement_timeout = '${BUSY.bound}'`);
  for (const end = Date.now() + BUSY.reads; Date.now() < end; await sleep(20)) await other.query('select * from t');
  await reader.query('commit');

  const { code, out } = await migrating;
  expect(code).toBe(0);
  expect(out).toContain('the table is busy; attempt 1 of');
  expect(await project.applied()).toEqual(['one', 'two']);
  await Promise.all([reader.end(), other.end()]);
});

test('a table that stays busy fails the command with its own exit code, and the migration is rolled back', async () => {
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

test('the timeouts of a migration override those of the environment', async () => {
  const project = aProject({ history: false }).with({ MIGRATION_STATEMENT_TIMEOUT: '10min' });
  const settings = `create table seen as select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement`;
  project.migration(
    'Migration20260101000000_one',
    [settings],
    [],
    `  lockTimeout = '7s';\n  statementTimeout = '5min';\n`,
  );
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.query('select * from seen')).toEqual([{ lock: '7s', statement: '5min' }]);
});

test('a statement that exceeds its timeout is cancelled', async () => {
  const project = aProject({ history: false }).with({ MIGRATION_STATEMENT_TIMEOUT: '200ms' });
  project.migration('Migration20260101000000_one', ['select pg_sleep(600)']);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(12);
  expect(out).toContain('MIGRATION_STATEMENT_TIMEOUT');
});

test('a statement that exceeds its timeout is cancelled on a shared embedded database', async () => {
  const project = aSharedProject({ history: false }).with({ MIGRATION_STATEMENT_TIMEOUT: '200ms' });
  project.migration('Migration20260101000000_one', ['create table t (id int)', 'select pg_sleep(600)']);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(12);
  expect(out).toContain('statement 2 of 2 failed');
  expect(await queryShared(project, `select to_regclass('t') as t`)).toEqual([{ t: null }]);
});

test('an engine inside the process refuses a statement timeout, because it cannot be interrupted', async () => {
  const project = anEmbeddedProject();
  const refused = await project.with({ MIGRATION_STATEMENT_TIMEOUT: '200ms' }).run('migration:up');
  expect(refused.code).toBe(24);
  expect(refused.out).toContain('MIGRATION_STATEMENT_TIMEOUT cannot be enforced');
  project.environment.MIGRATION_STATEMENT_TIMEOUT = '';
  project.migration('Migration20260105000000_own', ['select 1'], [], `  statementTimeout = '5min';\n`);
  const warned = await project.run('migration:up');
  expect(warned.code).toBe(0);
  expect(warned.out).toContain('its statementTimeout cannot be enforced');
});

test('a duration without a unit is refused', async () => {
  const { code, out } = await aProject().with({ MIGRATION_LOCK_TIMEOUT: '30' }).run('migration:up');
  expect(code).toBe(24);
  expect(out).toContain('MIGRATION_LOCK_TIMEOUT is "30"; it must be a duration with a unit');
});
