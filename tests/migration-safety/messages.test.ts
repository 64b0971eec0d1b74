import { MikroORM } from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { expect, test, vi } from 'vitest';
import { Migrator, safeMigrations } from '../../src/migration-safety/plug.ts';
import { aProject } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

test('a failing statement is told with its migration, its number, a caret, the table and what to do', async () => {
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

test('a server that can not be reached is named, without the password', async () => {
  const project = aProject().with({ DATABASE_URL: 'postgres://somebody:hunter2hunter2@127.0.0.1:1/there' });
  for (const command of ['migration:up', 'migration:down', 'migration:list', 'migration:pending']) {
    const { code, out } = await project.run(command);
    expect(code).toBe(40);
    expect(out).toContain('127.0.0.1:1 as somebody');
    expect(out).not.toContain('hunter2');
    expect(out).not.toMatch(/Options:|\n\s+at /);
  }
});

test('a migration whose code is broken is named before anything runs', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (id int)']);
  project.migration('Migration20260102000000_two', [], [], `  oops = (undefined as never as { a: { b: 1 } }).a.b;\n`);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(16);
  expect(out).toContain('Migration20260102000000_two can not be read');
});

test('our migrator is the one that is plugged in, under the name MikroORM looks for', async () => {
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
