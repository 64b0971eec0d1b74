import { randomBytes } from 'node:crypto';
import type { PGlite } from '@electric-sql/pglite';
import { MikroORM } from '@mikro-orm/postgresql';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ormConfig } from '../../mikro-orm.config.ts';
import { openEmbeddedDatabase } from '../../src/embedded-postgres/embedded-database.ts';
import { applyPendingMigrations } from '../../src/migration-safety/index.ts';
import { exerciseTables } from '../../src/migration-safety/shadow/exercise-tables.ts';
import { openMemoryEngine } from '../../src/migration-safety/shadow/memory-engine.ts';
import { sampleOfRegex } from '../../src/migration-safety/shadow/regex-sample.ts';
import { insertSampleRows } from '../../src/migration-safety/shadow/sample-rows.ts';
import type { Execute, Row } from '../../src/migration-safety/sql/execute.ts';

const server = process.env.TEST_SERVER_URL ?? 'postgres://postgres@127.0.0.1:5432';
const TRACKING = 'mikro_orm_migrations';

interface Database {
  execute: Execute;
  close: () => Promise<void>;
}

const ENGINES: Record<string, () => Promise<Database>> = {
  'in memory': async () => {
    const engine: PGlite = await openMemoryEngine();
    return { execute: async (sql) => (await engine.query<Row>(sql)).rows, close: () => engine.close() };
  },
  'on a server': async () => {
    const name = `migsafe_rows_${randomBytes(6).toString('hex')}`;
    const admin = new Client(`${server}/postgres`);
    await admin.connect();
    await admin.query(`create database ${name}`);
    const client = new Client(`${server}/${name}`);
    await client.connect();
    return {
      execute: async (sql) => (await client.query(sql)).rows,
      close: async () => {
        await client.end();
        await admin.query(`drop database ${name}`);
        await admin.end();
      },
    };
  },
};

describe.each(Object.keys(ENGINES))('%s', (engine) => {
  let database: Database;
  let execute: Execute;

  beforeEach(async () => {
    database = await (ENGINES[engine] as () => Promise<Database>)();
    execute = database.execute;
  });
  afterEach(() => database.close());

  const run = async (...statements: string[]) => {
    for (const statement of statements) await execute(statement);
  };
  const fill = () => insertSampleRows(execute, TRACKING);
  const count = async (table: string) => Number((await execute(`select count(*)::int as n from ${table}`))[0]?.n);
  const values = async (table: string, column: string) =>
    (await execute(`select ${column}::text as value from ${table} order by 1`)).map(({ value }) => value);

  test('every built-in type gets values', async () => {
    const types = await execute(`select format_type(oid, null) as name from pg_type
      where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm') and typname !~ '^_'
        and typname !~ '^pg_(node_tree|ndistinct|dependencies|mcv_list|brin)|gtsvector|aclitem' order by oid`);
    const names = types.map(({ name }) => String(name));
    for (const [i, name] of names.entries()) {
      await run(`create table t${i} (a ${name}, b ${name} not null, c ${name}[])`);
    }
    const { unfilled } = await fill();
    expect([...unfilled]).toEqual([]);
    for (const [i, name] of names.entries()) {
      expect([name, await count(`t${i}`)]).toEqual([name, 5]);
      expect([name, await count(`t${i} where a is null`)]).toEqual([name, 1]);
      expect([name, await count(`t${i} where c::text = '{}'`)]).toEqual([name, 1]);
    }
  });

  test('the edges of types are among the values', async () => {
    await run(
      `create type mood as enum ('sad', 'ok', 'it''s "happy"')`,
      `create table t (a varchar(4) not null, b int not null, c numeric(5, 2) not null, d mood not null, e jsonb not null,
        f timestamptz not null, g bit(3) not null, h char(2) not null, i bigint primary key, j numeric(2, -3), k numeric(2, 3))`,
    );
    await fill();
    expect(await values('t', 'a')).toEqual(expect.arrayContaining(['', 'xxxx', `It's`]));
    expect(await values('t', 'b')).toEqual(expect.arrayContaining(['0', '-2147483648', '2147483647', '-1']));
    expect(await values('t', 'c')).toEqual(expect.arrayContaining(['999.99', '-999.99', '0.00']));
    expect(await values('t', 'd')).toEqual(expect.arrayContaining(['sad', `it's "happy"`]));
    expect((await values('t', 'e')).join()).toContain('}{');
    expect(
      (await values('t', 'extract(microseconds from f)')).some((fraction) => /[1-9]$/.test(String(fraction))),
    ).toBe(true);
    expect(await values('t', 'i')).toEqual(expect.arrayContaining(['-9223372036854775808', '9223372036854775807']));
    expect(await values('t', 'j')).toEqual(expect.arrayContaining(['99000']));
    expect(await values('t', 'k')).toEqual(expect.arrayContaining(['0.099']));
  });

  test.each([
    `a text not null check (a in ('draft', 'published'))`,
    `a text not null check (a = any (array['x1', 'x2']))`,
    'a text not null check (length(a) between 40 and 41)',
    `a text not null check (a like 'post-%')`,
    `a text not null check (a ~ '^[a-z]+(-[a-z0-9]+)*$')`,
    `a text not null check (a ~* '^#[[:xdigit:]]{6}$')`,
    `a varchar(60) not null check (position('@' in a) > 1 and char_length(a) > 2)`,
    'a int not null check (a > 12345 and a < 12350)',
    'a numeric(6, 2) not null check (a >= 3.5 and a <= 4.5)',
    `a date not null check (a >= '2031-05-01' and a < '2031-05-03')`,
    `a text[] not null check (cardinality(a) > 0 and a <@ array['red', 'green'])`,
    `a jsonb not null check (jsonb_typeof(a) = 'object' and a ? 'key')`,
    'a int, b int not null check (a + b > 50 or a is null), check (b <> 7)',
    'a timestamptz not null, b timestamptz not null, check (a < b)',
    'a int, b text, c date, check (num_nonnulls(a, b, c) = 1)',
    'a int not null default 5 check (a = 5), b serial check (b > 0)',
    'a money not null check (a::numeric = 12.34)',
    'a int generated always as identity, b int not null check (b between 100 and 200), c int generated always as (b * 2) stored check (c > 250)',
  ])('checks are satisfied: %s', async (columns) => {
    await run(`create table t (${columns})`);
    const { unfilled } = await fill();
    expect([...unfilled]).toEqual([]);
    expect(await count('t')).toBeGreaterThan(0);
  });

  test('domains, composite types and ranges of other types get values', async () => {
    await run(
      `create domain slug as varchar(20) not null check (value ~ '^[a-z]+-[0-9]{2}$')`,
      `create domain special_slug as slug check (value <> 'a-11')`,
      `create type pair as (a int, b text, c slug)`,
      `create type floats as range (subtype = float8)`,
      'create table t (a slug, b special_slug, c pair, d floats not null, e slug[], f pair[] not null)',
      `create table u (a slug)`,
    );
    const { unfilled } = await fill();
    expect([...unfilled.keys()].filter((name) => name !== 't')).toEqual([]);
    expect(await values('u', 'a')).toContain('a-11');
  });
});

test.each([
  '^[a-z]+$',
  '^(foo|bar)-\\d{3}$',
  '^[^@]+@[^@]+\\.[a-z]{2,}$',
  '^\\w+(?:\\.\\w+)*$',
  '[[:alpha:]][[:digit:]]+',
])('a text that %s matches is found', (source) => {
  expect(sampleOfRegex(source)).toMatch(
    new RegExp(source.replace('[[:alpha:]]', '[a-z]').replace('[[:digit:]]', '\\d')),
  );
});
void [MikroORM, ormConfig, openEmbeddedDatabase, applyPendingMigrations, exerciseTables];
