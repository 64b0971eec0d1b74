import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { expect, test, vi } from 'vitest';
import { onlyOutsideTransaction, parseStatements } from '../../src/migration-safety/sql/statements.ts';
import { anEmbeddedProject, aProject, aSharedProject, onServer, type Project, queryShared } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const OUTSIDE_TRANSACTION = '  override isTransactional(): boolean {\n    return false;\n  }\n';

const threeSteps = (project: Project, third: string) =>
  project
    .migration('Migration20260101000000_one', ['create table t (id int)'], ['drop table t'])
    .migration(
      'Migration20260102000000_two',
      ['create index concurrently t_id on t (id)'],
      ['drop index concurrently t_id'],
      OUTSIDE_TRANSACTION,
    )
    .migration('Migration20260103000000_three', [third], ['drop table u']);

test('migrations before a failing one stay applied, and the rest is applied once it is fixed', async () => {
  const project = threeSteps(aProject({ history: false }), 'create table u (id intt)');
  const failed = await project.run('migration:up');
  expect(failed.code).toBe(12);
  expect(await project.applied()).toEqual(['one', 'two']);
  threeSteps(project, 'create table u (id int)');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.applied()).toEqual(['one', 'two', 'three']);
});

test('migrations before a failing one stay applied on the embedded database', async () => {
  const project = threeSteps(anEmbeddedProject({ history: false }), 'create table u (id intt)');
  expect((await project.run('migration:up')).code).toBe(12);
  threeSteps(project, 'create table u (id int)');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  const database = await PGlite.create(join(project.folder, 'data'));
  const { rows } = await database.query(`select count(*)::int as n from mikro_orm_migrations`);
  await database.close();
  expect(rows).toEqual([{ n: 3 }]);
});

test('migrations before a failing one stay applied on a shared embedded database', async () => {
  const project = threeSteps(aSharedProject({ history: false }), 'create table u (id intt)');
  expect((await project.run('migration:up')).code).toBe(12);
  const names = 'select name from mikro_orm_migrations order by id';
  expect(await queryShared(project, names)).toHaveLength(2);
  threeSteps(project, 'create table u (id int)');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await queryShared(project, names)).toHaveLength(3);
});

test('an index that a failed attempt left invalid is dropped and rebuilt', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (id int); insert into t values (1), (1)']);
  project.migration(
    'Migration20260102000000_two',
    ['create unique index concurrently t_id on t (id)'],
    [],
    OUTSIDE_TRANSACTION,
  );
  await project.run('migration:up', '--to', '+1');
  await expect(project.query('create unique index concurrently t_id on t (id)')).rejects.toThrow(
    'could not create unique index',
  );
  const invalid = `select indisvalid as valid from pg_index where indexrelid = 't_id'::regclass`;
  expect(await project.query(invalid)).toEqual([{ valid: false }]);
  await project.query('delete from t where ctid in (select ctid from t limit 1)');
  const again = await project.run('migration:up');
  expect(again).toMatchObject({ code: 0 });
  expect(again.out).toContain('left invalid');
  expect(await project.query(invalid)).toEqual([{ valid: true }]);
});

test('an index built by a migrator that was killed before recording it is not built again', async () => {
  const project = threeSteps(aProject({ history: false }), 'create table u (id int)');
  await project.run('migration:up', '--to', '+1');
  await project.query('create index concurrently t_id on t (id)');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.applied()).toEqual(['one', 'two', 'three']);
});

test('an index of the same name with another definition is an error and stays unchanged', async () => {
  const project = threeSteps(aProject({ history: false }), 'create table u (id int)');
  await project.run('migration:up', '--to', '+1');
  await project.query('create unique index concurrently t_id on t (id)');
  const before = await project.dump();
  expect((await project.run('migration:up')).code).toBe(12);
  expect(await project.dump()).toBe(before);
});

test('a statement that cannot run in a transaction is refused before any statement runs', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (id int)']);
  project.migration('Migration20260102000000_two', ['create index concurrently t_id on t (id)']);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(15);
  expect(out).toContain('isTransactional() { return false; }');
  expect(await project.query(`select to_regclass('t') as t`)).toEqual([{ t: null }]);
});

/** Three statements outside a transaction: a repeatable one, an index, and one that cannot be repeated. */
const threeStatements = (project: Project) =>
  project
    .migration('Migration20260101000000_one', [
      `create table t (name text); insert into t values ('Ann'), ('ann'), ('bob')`,
    ])
    .migration(
      'Migration20260102000000_two',
      [
        'create table if not exists u (id int)',
        'create unique index concurrently t_name on t (lower(name))',
        'insert into u values (1)',
      ],
      [],
      OUTSIDE_TRANSACTION,
    );

test('a migration outside a transaction that fails in the middle resumes on the next run', async () => {
  const project = threeStatements(aProject({ history: false }));
  const failed = await project.run('migration:up');
  expect(failed.code).toBe(12);
  expect(failed.out).toContain('statement 2 of 3 failed');
  expect(failed.out).toContain('its first 1 of 3 statements stay done');
  expect(await project.applied()).toEqual(['one']);
  await project.query(`delete from t where name = 'Ann'`);
  const again = await project.run('migration:up');
  expect(again).toMatchObject({ code: 0 });
  expect(again.out).toContain('left invalid');
  expect(await project.applied()).toEqual(['one', 'two']);
  expect(await project.query(`select indisvalid as valid from pg_index where indexrelid = 't_name'::regclass`)).toEqual(
    [{ valid: true }],
  );
  expect(await project.query('select id from u')).toEqual([{ id: 1 }]);
});

test('outside a transaction, the last statement and the tracking row are committed together', async () => {
  const project = threeStatements(aProject({ history: false }));
  await project.run('migration:up', '--to', '+1');
  await project.query(`delete from t where name = 'Ann'`);
  await project.query(`alter table mikro_orm_migrations add constraint full_up check (name not like '%two')`);
  expect((await project.run('migration:up')).code).not.toBe(0);
  expect(await project.query('select id from u')).toEqual([]);
  await project.query('alter table mikro_orm_migrations drop constraint full_up');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.query('select id from u')).toEqual([{ id: 1 }]);
});

test.each([
  ['drop index concurrently i', 'drop index concurrently'],
  ['reindex index concurrently i', 'reindex concurrently'],
  ['alter table t detach partition p concurrently', 'detach partition concurrently'],
  ['vacuum t', 'vacuum'],
  ['create database d', 'create database'],
  ['alter system set work_mem = 1', 'alter system'],
  ['analyze t', undefined],
  ['create index i on t (id)', undefined],
  ['cluster t using i', undefined],
])('%s runs only outside a transaction: %s', (sql, name) =>
  expect(parseStatements(sql).map(onlyOutsideTransaction)).toEqual([name]),
);

test('the timeouts of a migration outside a transaction are reset on the connection', async () => {
  const project = threeSteps(
    aProject({ history: false }),
    "create table u as select current_setting('lock_timeout') as inside",
  );
  project.migration(
    'Migration20260102500000_and_more',
    ["create table v as select current_setting('lock_timeout') as inside"],
    [],
    OUTSIDE_TRANSACTION,
  );
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.query('select inside from u union all select inside from v')).toEqual([
    { inside: '3s' },
    { inside: '3s' },
  ]);
  expect(await onServer(project.url, (c) => c.query('show lock_timeout').then((r) => r.rows))).toEqual([
    { lock_timeout: '0' },
  ]);
});
