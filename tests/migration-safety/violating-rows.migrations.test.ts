import { expect, test, vi } from 'vitest';
import { aProject, onServer } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const cases = [
  {
    does: 'not null',
    up: 'alter table t alter column a set not null',
    says: '1 violating row: "a" is null',
    see: 'select * from "t" where "a" is null',
  },
  {
    does: 'a required column',
    up: 'alter table t add column z int not null',
    says: '4 violating rows',
    see: 'select * from "t"',
  },
  {
    does: 'a unique constraint',
    up: 'alter table t add constraint t_b unique (b)',
    says: '2 violating rows: the same "b" more than once',
    see: 'having count(*) > 1',
  },
  {
    does: 'a unique index',
    up: 'create unique index t_b on t (b)',
    says: '2 violating rows: the same "b" more than once',
    see: 'having count(*) > 1',
  },
  {
    does: 'a foreign key',
    up: 'alter table t add constraint t_c foreign key (c) references u (id)',
    says: '1 violating row: they refer to rows of "u" that do not exist',
    see: 'not exists (select 1 from "u" r',
  },
  {
    does: 'a check',
    up: 'alter table t add constraint t_d check (d > (0))',
    says: '1 violating row: they violate the check (d > (0))',
    see: 'where not (d > (0))',
  },
  {
    does: 'a validation',
    up: 'alter table t validate constraint t_later',
    says: '1 violating row: they violate the check',
    see: 'where not (',
  },
];

test('violating rows are counted and shown before anything is changed', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [
    'create table u (id int primary key)',
    'create table t (a int, b int, c int, d int)',
    'insert into u values (1); insert into t values (null, 1, 1, 1), (1, 1, 1, 1), (1, 2, 9, 1), (1, 3, 1, 0)',
    'alter table t add constraint t_later check (d > 0) not valid',
  ]);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  const before = await project.dump();
  await Promise.all(
    cases.map(async ({ up, says, see }, i) => {
      const name = `Migration2026010200000${i}_case`;
      project.migration(
        name,
        [up],
        [],
        `  safeBecause = { 'required-column': 'The rows are checked in this test.' };\n`,
      );
      const { code, out } = await project.run('migration:up', '--only', name);
      expect([up, code]).toEqual([up, 21]);
      expect(out).toContain(says);
      expect(out).toContain(see);
    }),
  );
  expect(await project.dump()).toBe(before);
});

test('rows that the migration or an earlier one repairs are not violating', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [
    'create table t (a int, b int); insert into t values (null, null)',
  ]);
  await project.run('migration:up');
  project.migration('Migration20260102000000_two', ['update t set a = 0 where a is null']);
  project.migration('Migration20260103000000_three', ['alter table t alter column a set not null']);
  project.migration('Migration20260104000000_four', [
    'update t set b = 0 where b is null',
    'alter table t alter column b set not null',
  ]);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
});

test('checking the rows takes no lock that blocks queries', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (a int); insert into t values (null)']);
  await project.run('migration:up');
  project.migration('Migration20260102000000_two', ['alter table t alter column a set not null']);
  await onServer(project.url, async (reader) => {
    // An ALTER would wait for this reader, and give up with another code.
    await reader.query('begin; select * from t');
    const { code } = await project
      .with({ MIGRATION_TABLE_LOCK_TIMEOUT: '100ms', MIGRATION_ATTEMPTS: '1' })
      .run('migration:up');
    expect(code).toBe(21);
    await reader.query('rollback');
  });
});
