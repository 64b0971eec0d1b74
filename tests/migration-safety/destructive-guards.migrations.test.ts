import { expect, test, vi } from 'vitest';
import { aMigratedProject, anEmbeddedProject, aProject } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const commands = [
  ['migration:fresh'],
  ['migration:fresh', '--drop-db'],
  ['schema:drop', '--run'],
  ['schema:drop', '--run', '--drop-db'],
  ['schema:fresh', '--run'],
  ['schema:update', '--run'],
  ['migration:down', '--to', 'base'],
];

test('destructive commands are refused on a database that is not declared disposable', async () => {
  const project = await aMigratedProject();
  const before = await project.dump();
  for (const { command, code, out } of await Promise.all(
    commands.map(async (command) => ({ command, ...(await project.run(...command)) })),
  )) {
    expect([command, code]).toEqual([command, 22]);
    expect(out).toContain(`MIGRATION_YES_DESTROY=${project.database}`);
  }
  expect(await project.dump()).toBe(before);
  expect(await project.query('select count(*)::int as n from authors')).toEqual([{ n: 1 }]);
});

test('migration:rollup is refused and changes neither files nor history', async () => {
  const project = await aMigratedProject();
  const [files, before] = [project.migrations(), await project.applied()];
  const { code, out } = await project.run('migration:rollup');
  expect(code).toBe(22);
  expect(out).toContain('rewrites the history of this database alone');
  expect(project.migrations()).toEqual(files);
  expect(await project.applied()).toEqual(before);
});

test('a down without data loss needs no permission', async () => {
  const project = await aMigratedProject();
  expect(await project.run('migration:down', '--to', '-3')).toMatchObject({ code: 0 });
});

const losses: [down: string, says: string][] = [
  ['delete from t', 'table "t": 2 rows (select * from t)'],
  ['delete from t where true', 'table "t": 2 rows'],
  ['delete from t using u where u.id = t.id and u.id = 1', 'table "t": 1 row (select * from t, u where'],
  ['with gone as (delete from t where id = 2 returning *) select 1', 'table "t": 1 row (select * from t where id = 2)'],
  ['truncate u cascade', 'table "kid": 1 row'],
  ['drop table kid', 'table "kid": 1 row'],
  ['drop schema s cascade', 'table s."x": 1 row'],
  ['drop type mood cascade', 'column "t"."m": 2 rows with a value'],
  ['drop view w cascade', 'column "keeps"."row": 1 row with a value'],
  ['alter table t rename a to b; alter table t drop column b', 'column "t"."a": 1 row with a value'],
  ['alter table t alter column a type varchar(2) using (a::varchar(2))', 'column "t"."a": 1 row, where "a" (text)'],
  ['do $$ begin if true then delete from u; end if; end $$', 'table "u": 1 row'],
  [`do $$ begin execute 'drop table kid'; end $$`, 'table "kid": 1 row'],
  [`do $$ declare n text = 't'; begin execute 'truncate ' || n; end $$`, 'unknown: code that composes its SQL'],
  ['select purge()', 'table "kid": 1 row'],
];

test('a down that deletes, drops in passing or narrows needs permission, and counts what it would lose', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [
    `create schema s; create table s.x (id int); insert into s.x values (1)`,
    `create type mood as enum ('glad'); create table u (id int primary key); insert into u values (1)`,
    `create table t (id int, m mood, a text); insert into t values (1, 'glad', null), (2, 'glad', 'abc')`,
    `create table kid (id int references u); insert into kid values (1)`,
    `create view w as select id from u; create table keeps ("row" w); insert into keeps select w from w`,
    `create function purge() returns void language plpgsql as $$ begin delete from kid; end $$`,
  ]);
  await project.run('migration:up');
  const before = await project.dump();
  project.with({ MIGRATION_OUT_OF_ORDER: 'allow' });
  for (const [i, [down]] of losses.entries()) {
    const name = `Migration202601020000${String(i).padStart(2, '0')}_case`;
    project.migration(name, [`comment on table t is '${i}'`], [`comment on table t is null; ${down}`]);
  }
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  for (const [i, [down, says]] of losses.entries()) {
    const name = `Migration202601020000${String(i).padStart(2, '0')}_case`;
    const { code, out } = await project.run('migration:down', '--only', name);
    expect([down, code]).toEqual([down, 22]);
    expect(out).toContain(says);
  }
  await project.query('comment on table t is null');
  expect(await project.dump()).toContain(
    before.slice(before.indexOf('CREATE TABLE public.kid'), before.indexOf('CREATE TABLE public.t')),
  );
  expect(await project.query('select count(*)::int as n from t')).toEqual([{ n: 2 }]);
});

test('a down may delete the rows that its up inserts, by a condition', async () => {
  const project = aProject({ history: false });
  project
    .migration('Migration20260101000000_one', ['create table t (id int)', 'insert into t values (1), (2)'])
    .migration('Migration20260102000000_two', ['insert into t values (3)'], ['delete from t where id = 3'])
    .migration('Migration20260103000000_three', ['insert into t values (4)'], ['delete from t']);
  await project.run('migration:up');
  expect((await project.run('migration:down')).code).toBe(22);
  await project.query('delete from t where id = 4');
  await project.run('migration:unlog', '--name', 'three');
  expect(await project.run('migration:down')).toMatchObject({ code: 0 });
  expect(await project.query('select count(*)::int as n from t')).toEqual([{ n: 2 }]);
});

test('a down that queries the database is looked at while it runs', async () => {
  const project = aProject({ history: false });
  project.write(
    'migrations/Migration20260101000000_one.ts',
    `import { Migration } from '@mikro-orm/migrations';
export class Migration20260101000000_one extends Migration {
  override up(): void {
    this.addSql('create table t (id int); create table u (id int); insert into t values (1); insert into u values (1)');
  }
  override async down(): Promise<void> {
    const [{ n }] = await this.execute('select count(*)::int as n from t');
    if (process.env.DIRECTLY) await this.execute('drop table u');
    if (n > 0) this.addSql('drop table t');
  }
}`,
  );
  await project.run('migration:up');
  for (const [environment, table] of [
    [{}, 't'],
    [{ DIRECTLY: '1' }, 'u'],
  ] as const) {
    const { code, out } = await project.with(environment).run('migration:down');
    expect(code).toBe(22);
    expect(out).toContain(`table "${table}": 1 row`);
  }
  expect(await project.query('select count(*)::int as n from t, u')).toEqual([{ n: 1 }]);
});

test('permission must name the database', async () => {
  const project = (await aMigratedProject()).with({ MIGRATION_YES_DESTROY: 'migsafe_test' });
  expect((await project.run('migration:fresh')).code).toBe(22);
  expect(await project.with({ MIGRATION_YES_DESTROY: project.database }).run('migration:fresh')).toMatchObject({
    code: 0,
  });
  expect(await project.applied()).toHaveLength(4);
});

test('a pattern with * declares several databases disposable', async () => {
  const project = (await aMigratedProject()).with({ DISPOSABLE_DATABASES: 'other, migsafe_test_*' });
  expect(await project.run('migration:fresh')).toMatchObject({ code: 0 });
  expect(await project.run('migration:down', '--to', 'base')).toMatchObject({ code: 0 });
});

test('the embedded database needs no permission', async () => {
  const project = anEmbeddedProject();
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  expect(await project.run('migration:fresh')).toMatchObject({ code: 0 });
});
