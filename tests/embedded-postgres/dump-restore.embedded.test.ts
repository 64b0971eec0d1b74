import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { splitSql } from '../../src/embedded-postgres/dump/split-sql.ts';
import { aFolder, client, failure, opened } from './opened.ts';

const BLOG = `
  create table author (id int generated always as identity primary key, name text not null unique, bio text default 'it''s; "so"');
  create table article (
    id bigserial primary key, author_id int not null references author on delete cascade, title text not null,
    tags text[] not null default '{}', body jsonb, at timestamptz not null default now(), price numeric(10, 2), raw bytea,
    words int generated always as (length(title)) stored, constraint titled check (title <> ''));
  create index article_title on article (lower(title)) where author_id > 0;
  create table mikro_orm_migrations (id serial primary key, name varchar(255), executed_at timestamptz default now());
  create type mood as enum ('good', 'bad');
  create table feeling (author_id int references author, mood mood, primary key (author_id, mood));
  create view titles as select title, name from article join author on author.id = author_id;
  create function shout() returns trigger language plpgsql as $fn$ begin new.title := upper(new.title); return new; end; $fn$;
  create function plus_one(i int) returns int language sql begin atomic select i + 1; end;
  create trigger shouts before insert on article for each row execute function shout();
  insert into author (name) select 'author ' || i from generate_series(1, 50) i;
  insert into article (author_id, title, tags, body, price, raw)
    select 1 + i % 50, E'title; ''' || i || E'\\\\ \\n $$ -- ' || chr(128512), array['a', 'b,"c'], '{"a": [1, null]}', i / 3.0, '\\x00ff'
    from generate_series(1, 2500) i;
  insert into mikro_orm_migrations (name) values ('Migration1');
  insert into feeling values (1, 'good'), (2, 'bad');`;

const ALL_ROWS = `select md5(string_agg(t::text, '|' order by id)) as md5, count(*)::int as n from
  (select id, author_id, title, tags, body, price, raw, words, extract(epoch from at) from article) t`;

test('psql loads a dump into PostgreSQL 15 unchanged: rows, keys, identities, triggers, functions, the migration log', async () => {
  const database = await opened();
  const one = await client(database);
  await one.query(BLOG);
  const tables: string[] = [];
  const sql = await database.dumpSql((table) => tables.push(table));
  expect(tables).toContain('public.article');

  const server = await aServerDatabase();
  const file = join(aFolder(), '..', 'dump.sql');
  writeFileSync(file, sql);
  await server.psql('-v', 'ON_ERROR_STOP=1', '-f', file);
  expect(await server.psql('-Atc', ALL_ROWS)).toBe(Object.values((await one.query(ALL_ROWS)).rows[0]).join('|'));
  expect(await server.psql('-Atc', "insert into author (name) values ('next') returning id")).toContain('51');
  expect(
    await server.psql('-Atc', "insert into article (author_id, title) values (1, 'low') returning id, title"),
  ).toContain('2501|LOW');
  expect(await server.psql('-Atc', 'select plus_one(1), name from mikro_orm_migrations')).toBe('2|Migration1');
  expect(
    (await failure(server.psql('-c', "insert into article (author_id, title) values (999, 'x')"))).message,
  ).toContain('article_author_id_fkey');
});

test('a dump that PostgreSQL 15 made goes into the embedded database, COPY and all', async () => {
  const server = await aServerDatabase();
  await server.psql('-v', 'ON_ERROR_STOP=1', '-c', BLOG);
  const before = await server.psql('-Atc', ALL_ROWS);
  const { stdout } = await run(
    '/usr/lib/postgresql/15/bin/pg_dump',
    ['-h', '127.0.0.1', '-U', 'postgres', '--no-owner', server.name],
    { maxBuffer: 1e8 },
  );
  const database = await opened();
  await database.restoreSql(inPieces(stdout, 1000));
  const one = await client(database);
  expect(Object.values((await one.query(ALL_ROWS)).rows[0]).join('|')).toBe(before);
  expect(
    (await one.query("insert into article (author_id, title) values (1, 'low') returning id, title")).rows,
  ).toEqual([{ id: '2501', title: 'LOW' }]);
});

test('dumped, restored and dumped again, it is the same dump', async () => {
  const [one, two] = [await opened(), await opened()];
  await (await client(one)).query(BLOG);
  const first = await one.dumpSql();
  await two.restoreSql(inPieces(first, 65_536));
  expect(await two.dumpSql()).toBe(first);
});

test('a restore that fails leaves everything as it was, and a full database is not written over unasked', async () => {
  const database = await opened();
  const one = await client(database);
  await one.query('create table kept as select 1 as id');
  const refused = await failure(database.restoreSql(inPieces('create table t ();', 5)));
  expect(refused.message).toBe(
    'The database already has tables. Use a new folder, or --replace to drop them.',
  );
  const failed = await failure(database.restoreSql(inPieces('create table t (); selec;', 5), { replace: true }));
  expect(failed.message).toContain('selec');
  expect((await one.query('select * from kept')).rows).toEqual([{ id: 1 }]);
  await database.restoreSql(inPieces('create table t (); comment on table t is $$;$$;', 3), {
    replace: true,
  });
  expect((await failure(one.query('select * from kept'))).code).toBe('42P01');
});

test('a dump that was cut short is refused', async () => {
  const pieces = async (text: string) => {
    for await (const piece of splitSql(inPieces(text, 4))) expect(piece).toBeDefined();
  };
  await expect(pieces("insert into t values ('a")).rejects.toThrow('middle of a statement');
  await expect(pieces('copy t from stdin;\n1\n')).rejects.toThrow('middle of a COPY');
});

async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

const run = promisify(execFile);

/** A database of its own on the PostgreSQL 15 that the machine runs. */
async function aServerDatabase() {
  const name = `embedded_test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  const ask = async (database: string, args: string[]) => {
    const { stdout } = await run('psql', ['-X', '-h', '127.0.0.1', '-U', 'postgres', '-d', database, ...args], {
      maxBuffer: 1e8,
    });
    return stdout.trim();
  };
  await ask('postgres', ['-c', `create database ${name}`]);
  onTestFinished(() => ask('postgres', ['-c', `drop database ${name} with (force)`]).then(() => {}));
  return { name, psql: (...args: string[]) => ask(name, args) };
}
