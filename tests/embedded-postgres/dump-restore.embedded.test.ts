import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { splitSql } from '../../src/embedded-postgres/dump/split-sql.ts';
import { connect, errorOf, openTestDatabase, tempFolder } from './test-database.ts';

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

test('psql loads a dump into PostgreSQL 15: rows, keys, identities, triggers, functions, the migration log', async () => {
  const database = await openTestDatabase();
  const one = await connect(database);
  await one.query(BLOG);
  const tables: string[] = [];
  const sql = await database.dumpSql((table) => tables.push(table));
  expect(tables).toContain('public.article');

  const server = await serverDatabase();
  const file = join(tempFolder(), '..', 'dump.sql');
  writeFileSync(file, sql);
  await server.psql('-v', 'ON_ERROR_STOP=1', '-f', file);
  expect(await server.psql('-Atc', ALL_ROWS)).toBe(Object.values((await one.query(ALL_ROWS)).rows[0]).join('|'));
  expect(await server.psql('-Atc', "insert into author (name) values ('next') returning id")).toContain('51');
  expect(
    await server.psql('-Atc', "insert into article (author_id, title) values (1, 'low') returning id, title"),
  ).toContain('2501|LOW');
  expect(await server.psql('-Atc', 'select plus_one(1), name from mikro_orm_migrations')).toBe('2|Migration1');
  expect(
    (await errorOf(server.psql('-c', "insert into article (author_id, title) values (999, 'x')"))).message,
  ).toContain('article_author_id_fkey');
});

test('restores a dump made by PostgreSQL 15, including COPY', async () => {
  const server = await serverDatabase();
  await server.psql('-v', 'ON_ERROR_STOP=1', '-c', BLOG);
  const before = await server.psql('-Atc', ALL_ROWS);
  const { stdout } = await run(
    '/usr/lib/postgresql/15/bin/pg_dump',
    ['-h', '127.0.0.1', '-U', 'postgres', '--no-owner', server.name],
    { maxBuffer: 1e8 },
  );
  const database = await openTestDatabase();
  await database.restoreSql(inChunks(stdout, 1000));
  const one = await connect(database);
  expect(Object.values((await one.query(ALL_ROWS)).rows[0]).join('|')).toBe(before);
  expect(
    (await one.query("insert into article (author_id, title) values (1, 'low') returning id, title")).rows,
  ).toEqual([{ id: '2501', title: 'LOW' }]);
});

test('a dump of a restored dump is identical', async () => {
  const [one, two] = [await openTestDatabase(), await openTestDatabase()];
  await (await connect(one)).query(BLOG);
  const first = await one.dumpSql();
  await two.restoreSql(inChunks(first, 65_536));
  expect(await two.dumpSql()).toBe(first);
});

test('a restore that fails changes nothing, and replaces existing tables only on request', async () => {
  const database = await openTestDatabase();
  const one = await connect(database);
  await one.query('create table kept as select 1 as id');
  const refused = await errorOf(database.restoreSql(inChunks('create table t ();', 5)));
  expect(refused.message).toBe('The database already has tables. Use a new folder, or --replace to drop them.');
  const failed = await errorOf(database.restoreSql(inChunks('create table t (); selec;', 5), { replace: true }));
  expect(failed.message).toContain('selec');
  expect((await one.query('select * from kept')).rows).toEqual([{ id: 1 }]);
  await database.restoreSql(inChunks('create table t (); comment on table t is $$;$$;', 3), {
    replace: true,
  });
  expect((await errorOf(one.query('select * from kept'))).code).toBe('42P01');
});

test('refuses a truncated dump', async () => {
  const split = async (text: string) => {
    for await (const part of splitSql(inChunks(text, 4))) expect(part).toBeDefined();
  };
  await expect(split("insert into t values ('a")).rejects.toThrow('middle of a statement');
  await expect(split('copy t from stdin;\n1\n')).rejects.toThrow('middle of a COPY');
});

async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

const run = promisify(execFile);

/** A temporary database on the local PostgreSQL 15. */
async function serverDatabase() {
  const name = `embedded_test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  const psql = async (database: string, args: string[]) => {
    const { stdout } = await run('psql', ['-X', '-h', '127.0.0.1', '-U', 'postgres', '-d', database, ...args], {
      maxBuffer: 1e8,
    });
    return stdout.trim();
  };
  await psql('postgres', ['-c', `create database ${name}`]);
  onTestFinished(() => psql('postgres', ['-c', `drop database ${name} with (force)`]).then(() => {}));
  return { name, psql: (...args: string[]) => psql(name, args) };
}
