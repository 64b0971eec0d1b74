import { execFileSync } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { aProject, type Project } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const rows = 'select id, name, checksum, executed_by, app_version, source from mikro_orm_migrations order by id';
const psql = (project: Project, sql: string) =>
  execFileSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', project.url], {
    input: sql,
    stdio: ['pipe', 'pipe', 'pipe'],
  });

/** The sample history without the migration that queries the database, which has no offline SQL. */
function staticProject(): Project {
  return aProject().remove('migrations/Migration20260103000000_invite_the_editor.ts');
}

test('the SQL of all history, run through psql, creates the same schema and tracking rows as migration:up', async () => {
  const project = staticProject();
  await project.run('migration:up');
  const other = aProject({ history: false });
  await other.run('database:create');
  psql(other, (await project.extra('migration:sql', 'base:head')).out);
  expect(await other.dump()).toBe(await project.dump());
  expect(await other.query(rows)).toEqual(await project.query(rows));
});

test('the SQL runs through psql whatever comments, quotes and bodies the statements have', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [
    'create table t (id int, "a""b" text) -- a comment',
    'create index on t (id) /* a block; */ ; ; comment on table t is $$of it; -- :id$$',
    `insert into t values (1, E'a\\\\n;'), (2, 'b\\\\'), (3, ':id --') -- last`,
    'create function one() returns int language sql begin atomic select 1; select 1; end -- body',
    'create function two() returns int language plpgsql as $f$ begin return 2; -- two\n end $f$',
  ]);
  await project.run('migration:up');
  const other = aProject({ history: false });
  await other.run('database:create');
  psql(other, (await project.extra('migration:sql')).out);
  expect(await other.dump()).toBe(await project.dump());
  expect(await other.query(rows)).toEqual(await project.query(rows));
  expect(await other.query('select * from t')).toEqual(await project.query('select * from t'));
});

test('a reversed range migrates down', async () => {
  const project = staticProject();
  await project.run('migration:up', '--to', '+1');
  const [before, beforeRows] = [await project.dump(), await project.query(rows)];
  await project.run('migration:up');
  psql(project, (await project.extra('migration:sql', 'head:create_authors')).out);
  expect(await project.dump()).toBe(before);
  expect(await project.query(rows)).toEqual(beforeRows);
});

test('a range with three parts is refused', async () => {
  const { code, out } = await staticProject().extra('migration:sql', 'base:add_articles_slug:head');
  expect(code).toBe(10);
  expect(out).toContain('FROM:TO');
});

test('a migration whose statements depend on data is refused by name', async () => {
  const { code, out } = await aProject().extra('migration:sql');
  expect(code).toBe(16);
  expect(out).toContain('Migration20260103000000_invite_the_editor');
});

test('the plan names the lock, what it blocks, and the size of the table', async () => {
  const project = aProject();
  await project.run('migration:up', '--to', '+1');
  const { out } = await project.extra('migration:plan');
  expect(out).toContain('-- ACCESS EXCLUSIVE on "articles" (about 0 rows, 8192 bytes): blocks reads and writes');
  expect(out).toContain('-- SHARE UPDATE EXCLUSIVE on "articles"');
  expect(await project.applied()).toHaveLength(1);
});
