import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { formatLintFindings, type LintFinding, lint, RULES } from '../../src/migration-safety/lint/lint.ts';
import { withNested } from '../../src/migration-safety/lint/nested-statements.ts';
import { parseStatements } from '../../src/migration-safety/sql/statements.ts';
import { ALSO_ALLOWED, ALSO_REFUSED, CORPUS, NOT_GUARDED, UNGUARDED_KINDS } from './lint-corpus.ts';
import { aProject, repository } from './project.ts';

vi.setConfig({ testTimeout: 120_000 });

const findingsOf = (
  sql: string,
  { outside = false, safeBecause = {}, small = [] as string[], earlier = '' } = {},
): LintFinding[] =>
  lint(
    { name: 'm', transactional: !outside, safeBecause },
    parseStatements(sql),
    new Set(small),
    parseStatements(earlier),
  );

const codesOf = (...args: Parameters<typeof findingsOf>) => findingsOf(...args).map(({ code }) => code);

test('every rule has an example that it refuses and one that it allows, and there are more than forty rules', () => {
  expect(Object.keys(CORPUS).sort()).toEqual(RULES.map(({ code }) => code).sort());
  expect(new Set(RULES.map(({ code }) => code)).size).toBe(RULES.length);
  expect(RULES.length).toBeGreaterThan(40);
});

describe.each(Object.entries(CORPUS))('%s', (code, { refused, allowed, outside }) => {
  test(`refuses: ${refused}`, () => expect(codesOf(refused, { outside: outside?.refused ?? false })).toContain(code));
  test(`allows: ${allowed}`, () =>
    expect(codesOf(allowed, { outside: outside?.allowed ?? false })).not.toContain(code));
  test('a reason in safeBecause silences this rule only', () => {
    const safeBecause = { [code]: 'The table has no readers while this runs.' };
    expect(codesOf(refused, { outside: outside?.refused ?? false, safeBecause })).toEqual(
      codesOf(refused, { outside: outside?.refused ?? false }).filter((each) => each !== code),
    );
  });
});

test.each(ALSO_REFUSED)('%s also refuses: %s', (code, sql, more) => expect(codesOf(sql, more)).toContain(code));
test.each(ALSO_ALLOWED)('%s also allows: %s', (code, sql, more) => expect(codesOf(sql, more)).not.toContain(code));

test.each(Object.entries(NOT_GUARDED))('deliberately not guarded: %s', (_, sql) => expect(codesOf(sql)).toEqual([]));

test('each kind of statement in the grammar has a refused example or stands in the list of what is not guarded', () => {
  const grammar = readFileSync(join(repository, 'node_modules/@pgsql/types/types.d.ts'), 'utf8');
  const kinds = new Set([...grammar.matchAll(/interface (\w+Stmt)\b/g)].map(([, kind]) => kind));
  const examples = [...Object.values(CORPUS).map(({ refused }) => refused), ...ALSO_REFUSED.map(([, sql]) => sql)];
  const guarded = new Set(withNested(examples.flatMap(parseStatements)).map(({ kind }) => kind));
  const unguarded = Object.values(UNGUARDED_KINDS).flatMap((list) => list.split(' '));
  expect([...kinds].filter((kind) => !guarded.has(kind ?? '')).sort()).toEqual(unguarded.sort());
});

test('a finding says where a nested statement stands, and a reason for its rule covers it', () => {
  const sql = 'create procedure p() language sql as $$ truncate t $$; do $$ begin call p(); drop table u; end $$';
  expect(findingsOf(sql)).toMatchObject([
    { code: 'truncate', sql: 'truncate t', details: ['It stands in function "p", which the migration calls.'] },
    { code: 'drop-table', sql: 'drop table u', details: ['It stands in a DO block.'] },
  ]);
  const safeBecause = {
    truncate: 'The rows are derived from others.',
    'drop-table': 'It was never used in production.',
  };
  expect(codesOf(sql, { safeBecause })).toEqual([]);
});

test('a function that calls itself, and one that is called in a loop, are followed once', () => {
  const body = '$$ begin truncate t; perform f(); return 1; end $$';
  expect(
    codesOf(`create function f() returns int language plpgsql as ${body}; select f(), f() from generate_series(1, 3)`),
  ).toEqual(['truncate']);
});

test('a finding of a syntax error has the message of PostgreSQL and shows the position', () => {
  const text = formatLintFindings(findingsOf('\n  -- é\n  alter table t add column ä int;\n  drop tabel t'));
  expect(text).toContain('syntax error at or near "tabel", line 3, column 8.');
  expect(text).toContain('  |   drop tabel t\n  |        ^\n');
  expect(formatLintFindings(findingsOf('select ('))).toContain('syntax error at end of input, line 1, column 9.');
});

test.each([
  ['create index i on t (a)', /on each partition; then alter index/],
  ['alter table t add constraint c unique (a)', /alter table only/],
  ['alter table t add constraint c primary key (a)', /alter table only/],
  ['alter table t add constraint c foreign key (a) references u', /not valid to each partition/],
])('of a partitioned table, the advice is a form that PostgreSQL takes: %s', (sql, instead) => {
  const earlier = 'create table t (a int not null) partition by list (a)';
  expect(findingsOf(sql, { earlier })).toMatchObject([{ instead: expect.stringMatching(instead) }]);
});

test('what is made of only a partitioned table looks at no row', () => {
  const earlier = 'create table t (a int not null) partition by list (a)';
  const sql = 'create index i on only t (a); alter table only t add constraint c unique (a)';
  expect(codesOf(sql, { earlier })).toEqual([]);
});

test('a fill without its value names the table and the column', () => {
  const sql = 'update "blog"."articles" set "summary" = /* the value for existing rows */ null where "summary" is null';
  expect(findingsOf(sql)).toMatchObject([
    {
      code: 'placeholder-fill',
      instead: expect.stringMatching(/blog\.articles: set summary = … where summary is null/),
    },
  ]);
});

test('a small table is exempt from rules about lock duration, not from rules about data loss', () => {
  expect(codesOf('create index i on t (a); alter table t add constraint c unique (a)', { small: ['t'] })).toEqual([]);
  expect(codesOf('alter table t drop column a', { small: ['t'] })).toEqual(['drop-column']);
});

test('outside a transaction, only the last statement may be one that cannot be repeated', () => {
  const index = 'create index concurrently i on t (a)';
  const of = (first: string) => codesOf(`${first}; ${index}`, { outside: true });
  expect(of('update t set n = n + 1 where true')).toContain('steps-outside-transaction');
  expect(of('insert into t values (1)')).toContain('steps-outside-transaction');
  expect(of('update t set n = m where n is null')).not.toContain('steps-outside-transaction');
});

test('a reason has to be a sentence about an existing rule', () => {
  expect(codesOf('select 1', { safeBecause: { 'drop-column': 'ok' } })).toEqual(['no-reason']);
  expect(codesOf('select 1', { safeBecause: { 'drop-colum': 'Nothing has read it since 1.4.' } })).toEqual([
    'unknown-code',
  ]);
});

test('migration:up refuses before any statement runs, and applies the migration once a reason is given', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [
    'create table t (id int, a int); insert into t values (1, 2), (2, 3), (3, null)',
  ]);
  await project.run('migration:up');
  project.migration('Migration20260102000000_two', ['create table u (id int)', 'alter table t drop column a']);
  const before = await project.dump();
  const refused = await project.run('migration:up');
  expect(refused.code).toBe(37);
  expect(refused.out).toContain('Migration20260102000000_two: error drop-column');
  expect(refused.out).toContain('Would be lost: column "t"."a": 2 rows with a value');
  expect(refused.out).toContain('select * from "t" where "a" is not null');
  expect(await project.dump()).toBe(before);
  const checked = await project.run('migration:check');
  expect(checked.code).toBe(37);
  expect(checked.out).toContain('lint: Migration20260102000000_two: drop-column');
  project.edit('migrations/Migration20260102000000_two.ts', (text) =>
    text.replace(
      'extends Migration {',
      `extends Migration {\n  safeBecause = { 'drop-column': 'No release since 1.4 reads it.' };`,
    ),
  );
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
});

test('a migration that depends on data is linted while it runs, before its statements', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [
    'create table t (id int, a int); insert into t select n, n from generate_series(1, 20000) n',
  ]);
  await project.run('migration:up');
  project.write(
    'migrations/Migration20260102000000_two.ts',
    `import { Migration } from '@mikro-orm/migrations';\nexport class Two extends Migration {\n  override async up(): Promise<void> {\n    for (const _ of await this.execute('select 1')) this.addSql('truncate t');\n  }\n}\n`,
  );
  const { code, out } = await project.run('migration:up');
  expect(code).toBe(37);
  expect(out).toContain('error truncate');
  expect(await project.query('select count(*)::int as n from t')).toEqual([{ n: 20_000 }]);
});

test('up, check and lint know the types, constraints and functions of earlier migrations', async () => {
  const project = aProject({ history: false });
  project.migration('Migration20260101000000_one', [
    'create table t (id int primary key, a varchar(10), b text, constraint t_b_not_null check (b is not null))',
    'create function empty() returns int language plpgsql as $$ begin truncate t; return 1; end $$',
    "insert into t select n, 'a', 'b' from generate_series(1, 10001) n",
  ]);
  project.migration('Migration20260102000000_two', [
    'alter table t alter column a type varchar(20), alter column b set not null',
  ]);
  expect((await project.extra('migration:lint')).out).toContain('No findings.');
  expect(await project.run('migration:up')).toMatchObject({ code: 0 });
  project.migration('Migration20260103000000_three', ['select empty()']);
  const refused = await project.run('migration:up');
  expect(refused.code).toBe(37);
  expect(refused.out).toContain('It stands in function "empty", which the migration calls.');
  expect(refused.out).toContain('Would be lost: table "t": more than 10000 rows');
  expect((await project.run('migration:check')).out).toContain('lint: Migration20260103000000_three: truncate');
  expect(await project.query('select count(*)::int as n from t')).toEqual([{ n: 10_001 }]);
});

test('migration:lint lints without a database, and lists the rules', async () => {
  const project = aProject().with({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere' });
  expect(await project.extra('migration:lint')).toMatchObject({ code: 0 });
  project.migration('Migration20260105000000_bad', ['drop table authors']);
  expect((await project.extra('migration:lint')).code).toBe(37);
  expect((await project.extra('migration:lint', '--rules')).out).toContain('blocking-index (error)');
});

// squawk assumes PostgreSQL 15 and a transaction around the file, as the migrator begins one.
test.each(Object.entries(CORPUS).filter(([, { squawk }]) => squawk))(
  'squawk agrees about %s',
  (code, { refused, squawk }) => {
    const file = join(aProject({ history: false }).folder, `${code}.sql`);
    writeFileSync(file, `${refused};\n`);
    let out = '';
    try {
      out = execFileSync(
        'node_modules/.bin/squawk',
        ['--reporter', 'json', '--pg-version', '15', '--assume-in-transaction', file],
        { encoding: 'utf8', stdio: 'pipe' },
      );
    } catch (error) {
      out = (error as { stdout: string }).stdout;
    }
    expect((JSON.parse(out) as { rule_name: string }[]).map(({ rule_name }) => rule_name)).toContain(squawk);
  },
);
