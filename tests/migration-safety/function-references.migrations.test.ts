import type { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { findFunctionReferences } from '../../src/migration-safety/renames/function-references.ts';
import type { RenamedObject } from '../../src/migration-safety/renames/name-resolution.ts';
import { openMemoryEngine } from '../../src/migration-safety/shadow/memory-engine.ts';
import type { Row } from '../../src/migration-safety/sql/execute.ts';

let engine: PGlite;

beforeAll(async () => {
  engine = await openMemoryEngine();
  await engine.exec(`
    create table articles (id int primary key, slug text, favorites_count int, author int);
    create table comments (id int primary key, article int, slug text, body text);
    create schema audit;
    create table audit.articles (id int, slug text);
    set check_function_bodies = off;
  `);
});
afterAll(() => engine.close());
beforeEach(async () => void (await engine.exec('begin')));
afterEach(async () => void (await engine.exec('rollback')));

const SLUG: RenamedObject = { schema: 'public', table: 'articles', from: 'slug', to: 'handle' };
const COUNT: RenamedObject = { schema: 'public', table: 'articles', from: 'favorites_count', to: 'likes' };
const ARTICLES: RenamedObject = { schema: 'public', from: 'articles', to: 'posts' };

const find = (...renames: RenamedObject[]) =>
  findFunctionReferences(async (sql) => (await engine.query<Row>(sql)).rows, renames);
const sql = (body: string, args = '') => `create function f(${args}) returns void language sql as $f$ ${body} $f$`;
const plpgsql = (body: string, returns = 'void', args = '') =>
  `create function f(${args}) returns ${returns} language plpgsql as $f$ ${body} $f$`;
const trigger = (body: string, table: string) =>
  `${plpgsql(`begin ${body} return new; end`, 'trigger')}; create trigger t after insert or update on ${table} for each row execute function f()`;

test.each([
  { of: SLUG, body: sql('select slug from articles'), words: ['slug'] },
  { of: SLUG, body: sql('select a.slug from public.articles a'), words: ['a.slug'] },
  { of: SLUG, body: sql('select articles.slug from articles'), words: ['articles.slug'] },
  { of: SLUG, body: sql('select public.articles.slug from articles'), words: ['public.articles.slug'] },
  { of: SLUG, body: sql('select "slug" from only "articles" order by 1'), words: ['slug'] },
  { of: SLUG, body: sql('insert into articles (id, slug) values (1, null)'), words: ['slug'] },
  {
    of: SLUG,
    body: sql('insert into articles values (1) on conflict (slug) do update set author = length(excluded.slug)'),
    words: ['slug', 'excluded.slug'],
  },
  { of: SLUG, body: sql(`update articles a set slug = 'x' where a.id = 1`), words: ['slug'] },
  { of: SLUG, body: sql('delete from comments c using articles a where a.slug = c.slug'), words: ['a.slug'] },
  { of: SLUG, body: sql('delete from articles where id = 1 returning slug'), words: ['slug'] },
  {
    of: SLUG,
    body: sql('merge into articles a using comments c on a.id = c.article when matched then update set slug = c.body'),
    words: ['slug'],
  },
  { of: SLUG, body: sql('select 1 from comments join articles using (slug)'), words: ['slug'] },
  {
    of: SLUG,
    body: sql('select 1 from comments c where exists (select 1 from articles where slug = c.slug)'),
    words: ['slug'],
  },
  { of: SLUG, body: sql('with a as (select slug from articles) select * from a'), words: ['slug'] },
  { of: SLUG, body: sql('select 1 union all (select 2 from articles where slug is null)'), words: ['slug'] },
  { of: SLUG, body: sql('select ($1).slug, (a).slug, a.slug', 'a articles'), words: ['a.slug'] },
  { of: ARTICLES, body: sql('select 1 from articles'), words: ['articles'] },
  { of: ARTICLES, body: sql('select null::articles'), words: ['articles'] },
  { of: ARTICLES, body: sql(`select 'public.articles'::regclass`), words: ['public.articles'] },
  { of: SLUG, body: plpgsql('begin perform slug from articles; end'), words: ['slug'] },
  { of: SLUG, body: plpgsql('declare s articles.slug%type; begin end'), words: ['articles.slug'] },
  { of: ARTICLES, body: plpgsql('declare s public.articles%rowtype; begin end'), words: ['public.articles'] },
  { of: SLUG, body: plpgsql('declare r public.articles; begin select 1 into r.slug; end'), words: ['r.slug'] },
  { of: SLUG, body: plpgsql('declare r articles%rowtype; begin r.slug := 1; end'), words: ['r.slug'] },
  { of: SLUG, body: plpgsql('begin perform a.slug; end', 'void', 'a articles'), words: ['a.slug'] },
  { of: SLUG, body: plpgsql('declare c cursor for select slug from articles; begin end'), words: ['slug'] },
  {
    of: SLUG,
    body: plpgsql(`begin if exists (select from articles where slug = 'a') then return; end if; end`),
    words: ['slug'],
  },
  { of: SLUG, body: plpgsql('begin return query select slug from articles; end', 'setof text'), words: ['slug'] },
  { of: SLUG, body: trigger('new.slug := lower(new.body);', 'articles'), words: ['new.slug'] },
  {
    of: SLUG,
    body: trigger('if new.slug is distinct from old.slug then end if;', 'articles'),
    words: ['new.slug', 'old.slug'],
  },
  { of: SLUG, body: trigger(`select 'a' into new.slug;`, 'articles'), words: ['new.slug'] },
  {
    of: COUNT,
    body: trigger('update articles set favorites_count = favorites_count + 1 where id = new.article;', 'comments'),
    words: ['favorites_count'],
  },
])('$of.from is found in: $body', async ({ of, body, words }) => {
  await engine.exec(body);
  const [found, ...others] = await find(of);
  expect(found).toMatchObject({ id: expect.stringMatching(/^function f\(/), certainty: 'certain' });
  expect(found?.words.toSorted()).toEqual(words.toSorted());
  expect(others).toEqual([]);
});

test.each([
  { of: SLUG, body: plpgsql(`begin execute 'select slug from articles'; end`), words: ['slug'] },
  { of: SLUG, body: plpgsql(`begin execute format('select %I from articles', 'slug'); end`), words: ['slug'] },
  { of: SLUG, body: plpgsql(`declare q text := 'select slug'; begin execute q; end`), words: ['slug'] },
  {
    of: ARTICLES,
    body: plpgsql(`begin return query execute 'select 1 from articles'; end`, 'setof int'),
    words: ['articles'],
  },
  {
    of: SLUG,
    body: plpgsql(
      `declare r record; begin for r in select * from articles loop raise notice '%', r.slug; end loop; end`,
    ),
    words: ['r.slug'],
  },
])('$of.from is possibly in: $body', async ({ of, body, words }) => {
  await engine.exec(body);
  expect(await find(of)).toEqual([{ id: 'function f()', certainty: 'possible', words }]);
});

test.each([
  { of: SLUG, body: sql('select slug from comments') },
  { of: SLUG, body: sql('select slug from audit.articles') },
  { of: SLUG, body: sql('select c.slug from articles a join comments c on c.article = a.id') },
  { of: SLUG, body: sql('select 1 from articles where id in (select length(slug) from comments)') },
  { of: SLUG, body: sql('with articles as (select slug from comments) select slug from articles') },
  { of: SLUG, body: sql(`select id as slug, 'slug' from articles`) },
  { of: ARTICLES, body: sql('select 1 from audit.articles') },
  { of: ARTICLES, body: `${sql('select 1 from articles')} set search_path = audit` },
  { of: ARTICLES, body: plpgsql(`begin raise notice 'articles'; end`) },
  { of: SLUG, body: trigger('new.slug := lower(new.body);', 'comments') },
  { of: SLUG, body: plpgsql('declare r record; begin select * into r from comments; r.slug := 1; end') },
  { of: SLUG, body: 'create function f() returns setof text begin atomic select slug from articles; end' },
])('$of.from is not in: $body', async ({ of, body }) => {
  await engine.exec(body);
  expect(await find(of)).toEqual([]);
});

test('functions in other schemas, with arguments and overloads, are told apart', async () => {
  await engine.exec(`
    create function audit.f(a int) returns void language sql as 'select slug from articles';
    create function audit.f(a text) returns void language sql as 'select id from articles';
    create procedure audit.p(inout a int) language plpgsql as $$ begin a := (select favorites_count from articles); end $$;
  `);
  expect(await find(SLUG, COUNT)).toEqual([
    { id: 'function audit.f(a integer)', certainty: 'certain', words: ['slug'] },
    { id: 'function audit.p(INOUT a integer)', certainty: 'certain', words: ['favorites_count'] },
  ]);
});
