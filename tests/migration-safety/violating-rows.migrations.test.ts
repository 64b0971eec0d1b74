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
    does: 'a foreign key to the primary key',
    up: 'alter table t add constraint t_c foreign key (c) references u',
    says: '1 violating row: they refer to rows of "u" that do not exist',
    see: 'not exists (select 1 from "u" r',
  },
  {
    does: 'a check with a parenthesis in a text',
    up: "alter table t add constraint t_d check (d > 0 or d::text = '(')",
    says: "1 violating row: they violate the check (d > 0 or d::text = '(')",
    see: 'where not (d > 0',
  },
  {
    does: 'a partial unique index',
    up: 'create unique index t_b on t (b) where d > 0',
    says: '2 violating rows: the same "b" more than once where d > 0',
    see: 'having count(*) > 1',
  },
  {
    does: 'a type that the values do not fit into',
    up: 'alter table t alter column c type numeric(1, 1)',
    says: '4 rows lose a value: "c" (integer) does not keep its value as numeric(1, 1)',
    see: "('(0,1)')",
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
  project.with({ MIGRATION_OUT_OF_ORDER: 'allow' });
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

test('what an earlier statement of the same run adds, renames or changes is not asked of the database', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (a int, e text); insert into t values (1, null)']);
  await project.run('migration:up');
  project
    .migration('Migration20260102000000_two', [
      "alter table t add column size text default 's', add constraint t_size check (size in ('s', 'm'))",
      'alter table t rename column a to b',
      'alter table t add constraint t_b check (b > 0)',
    ])
    .migration('Migration20260103000000_three', [
      'create unique index t_b on t (b, size)',
      "create function positive(n int) returns boolean language sql immutable as 'select n > 0'",
      'alter table t add constraint t_positive check (positive(b))',
      'alter table t rename to u',
      'alter table u add constraint u_e check (e is not null) not valid',
    ])
    .migration('Migration20260104000000_four', [`update u set e = '' where e is null`])
    .migration('Migration20260105000000_five', ['alter table u validate constraint u_e'])
    .migration('Migration20260106000000_six', [
      'alter table u alter column e set not null',
      'alter table u alter column b set not null',
    ]);
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
});

test('a chain of migrations is refused before its first step, which would fail the updates of the application', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [
    `create table t (id int, kind text); insert into t values (1, 'a'), (2, 'b'), (3, null)`,
  ]);
  await project.run('migration:up');
  project
    .migration('Migration20260102000000_two', [
      `alter table t add constraint t_kind check (kind in ('a')) not valid`,
      'alter table t add constraint t_kind_set check (kind is not null) not valid',
    ])
    .migration('Migration20260103000000_three', ['alter table t validate constraint t_kind'])
    .migration('Migration20260104000000_four', ['alter table t validate constraint t_kind_set'])
    .migration('Migration20260105000000_five', ['alter table t alter column kind set not null']);
  const before = await project.dump();
  for (const command of [['migration:up'], ['migration:up', '--to', '+1']]) {
    const { code, out } = await project.run(...command);
    expect([command, code]).toEqual([command, 21]);
    expect(out).toContain(`To see them: select * from "t" where not (kind in ('a'));`);
    expect(out).toContain('To see them: select * from "t" where "kind" is null;');
    expect(out.match(/violating row/g)).toHaveLength(2);
  }
  expect(await project.dump()).toBe(before);
  project.migration('Migration20260101500000_repair', [`update t set kind = 'a' where kind is distinct from 'a'`]);
  expect(await project.with({ MIGRATION_OUT_OF_ORDER: 'allow' }).run('migration:up')).toMatchObject({ code: 0 });
});

test('a new column that nothing fills is known to be null before the first step', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', ['create table t (id int); insert into t values (1)']);
  await project.run('migration:up');
  project
    .migration('Migration20260102000000_two', ['alter table t add column a int'])
    .migration('Migration20260103000000_three', ['alter table t alter column a set not null']);
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(21);
  expect(out).toContain('1 violating row: they have no value for the new column "a"');
  expect(await project.applied()).toHaveLength(1);
  project.edit('migrations/Migration20260102000000_two.ts', (text) => text.replace('a int', 'a int default 1'));
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
});

test('a change of type that loses values is refused with a query that shows them, until the migration says why', async () => {
  const project = aProject({ history: false });
  const name = 'Migration20260102000000_two';
  project.migration('Migration20260101000000_one', [
    `create table t (id int primary key, a varchar(50), at timestamptz)`,
    `insert into t values (1, 'abc', null), (2, 'abcdef', now())`,
  ]);
  await project.run('migration:up');
  const before = await project.dump();
  project.migration(name, [
    'alter table t alter column a type varchar(5) using (a::varchar(5)), alter column at type timestamp',
  ]);
  const refused = await project.run('migration:up');
  expect(refused.code).toBe(21);
  expect(refused.out).toContain(
    '1 row loses a value: "a" (character varying(50)) does not keep its value as varchar(5)',
  );
  expect(refused.out).toContain(
    '1 row loses a value: "at" loses its time zone (timestamp with time zone) as timestamp',
  );
  expect(refused.out).toContain(`safeBecause = { 'lose-values': '<a sentence>' }`);
  expect(await project.dump()).toBe(before);
  const [, query = ''] = /To see them: (.*varying.*);/.exec(refused.out) ?? [];
  expect(await project.query(query)).toMatchObject([{ id: 2 }]);
  const cut = (reason: string) =>
    project.migration(
      name,
      ['alter table t alter column a type varchar(5) using (a::varchar(5))'],
      [],
      `  safeBecause = { '${reason}': 'Nothing reads more than five letters.' };\n`,
    );
  cut('change-type');
  expect(await project.run('migration:up'), 'a reason about locks').toMatchObject({ code: 21 });
  cut('lose-values');
  const applied = await project.run('migration:up');
  expect(applied).toMatchObject({ code: 0 });
  expect(applied.out).toContain('1 row loses a value');
  expect(await project.query('select a from t order by id')).toEqual([{ a: 'abc' }, { a: 'abcde' }]);
});

test.each([
  ['is too long for', 'alter table t alter column a type varchar(5)'],
  ['is none of', 'alter table t alter column a type level using a::text::level'],
])(
  'a change of type that fails, because a value %s the new one, is refused although a reason is given',
  async (_, up) => {
    const project = aProject({ history: false });
    project.migration('Migration20260101000000_one', [
      "create type level as enum ('low', 'high'); create table t (id int primary key, a text)",
      "insert into t values (1, 'low'), (2, 'medium')",
    ]);
    await project.run('migration:up');
    project
      .migration('Migration20260102000000_two', ['create table u (id int)'])
      .migration(
        'Migration20260103000000_three',
        [up],
        [],
        "  safeBecause = { 'lose-values': 'The table is small and stays small.' };\n",
      );
    const refused = await project.run('migration:up');
    expect(refused.code).toBe(21);
    expect(refused.out).toContain('1 row loses a value');
    expect(refused.out).not.toContain('If a loss is intended');
    expect(await project.applied()).toHaveLength(1);
  },
);

test('a change of type is proved again on the rows that the statements before it leave', async () => {
  const project = aProject({ history: false });
  const change = (before: string) => [before, 'alter table t alter column a type varchar(3) using (a::varchar(3))'];
  project.migration('Migration20260101000000_one', [`create table t (a text); insert into t values ('abcdef')`]);
  await project.run('migration:up');
  project.migration('Migration20260102000000_two', change(`do $$ begin update t set a = 'abcde'; end $$`));
  const refused = await project.run('migration:up');
  expect(refused.code).toBe(21);
  expect(refused.out).toContain('1 row loses a value: "a" (text) does not keep its value as varchar(3)');
  project.migration('Migration20260102000000_two', change(`do $$ begin update t set a = 'abc'; end $$`));
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
