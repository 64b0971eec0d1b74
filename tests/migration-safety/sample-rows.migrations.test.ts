import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { MikroORM } from '@mikro-orm/postgresql';
import fc from 'fast-check';
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

const TYPES = [
  ...['int', 'smallint', 'bigint', 'numeric', 'numeric(8, 3)', 'real', 'double precision', 'money', 'boolean', 'text'],
  ...['varchar(1)', 'varchar(12)', 'char(3)', 'date', 'time', 'timetz', 'timestamp(0)', 'timestamptz(3)', 'interval'],
  ...['json', 'jsonb', 'uuid', 'bytea', 'inet', 'cidr', 'macaddr', 'bit(4)', 'varbit(5)', 'point', 'polygon', 'xml'],
  ...[
    'tsvector',
    'tsquery',
    'int4range',
    'tstzrange',
    'nummultirange',
    'oid',
    'pg_lsn',
    'regclass',
    'interval hour to minute',
  ],
];
/** They can't be unique. */
const UNORDERED = new Set(['json', 'point', 'polygon', 'xml']);

const CHECKED = [
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
];

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
      expect([name, (await count(`t${i} where a is null`)) > 0]).toEqual([name, true]);
      expect([name, (await count(`t${i} where c::text = '{}'`)) > 0]).toEqual([name, true]);
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

  test('checks are satisfied', async () => {
    for (const [i, columns] of CHECKED.entries()) await run(`create table t${i} (${columns})`);
    const { unfilled } = await fill();
    for (const [i, columns] of CHECKED.entries()) {
      expect([columns, unfilled.get(`t${i}`), (await count(`t${i}`)) > 0]).toEqual([columns, undefined, true]);
    }
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

  test('keys, foreign keys, self references and circular references are honoured', async () => {
    await run(
      'create table tenants (id int primary key)',
      'create table users (tenant int references tenants, no serial, email text not null unique, primary key (tenant, no))',
      `create table posts (id uuid primary key default gen_random_uuid(), tenant int not null, author int not null, editor int,
        parent uuid references posts, foreign key (tenant, author) references users, foreign key (tenant, editor) references users)`,
      `create table follows (a text references users (email), b text references users (email), primary key (a, b), check (a <> b))`,
      'create table tree (id int generated always as identity primary key, parent int not null references tree)',
      'create table nullable1 (id int primary key, other int)',
      'create table nullable2 (id int primary key, other int not null references nullable1)',
      'alter table nullable1 add foreign key (other) references nullable2',
      'create table deferred1 (id serial primary key)',
      'create table deferred2 (id text primary key, other int not null references deferred1 deferrable initially deferred)',
      'alter table deferred1 add column other text not null references deferred2 deferrable',
      'create table shared_key (id int primary key references tenants, flag boolean unique)',
    );
    const { inserted, unfilled } = await fill();
    expect([...unfilled]).toEqual([]);
    expect(inserted.get('shared_key')).toBeGreaterThan(2);
    for (const [table, rows] of inserted) if (table !== 'shared_key') expect([table, rows]).toEqual([table, 5]);
    expect(await count('posts where parent is not null')).toBeGreaterThan(0);
    expect(await count('posts where editor is null')).toBeGreaterThan(0);
    expect(await count('nullable1 where other is not null')).toBeGreaterThan(0);
  });

  test('circular references that cannot be null or deferred are reported', async () => {
    await run(
      'create table a (id int primary key, b int not null)',
      'create table b (id int primary key, a int not null references a)',
      'alter table a add foreign key (b) references b',
      'create table c (a int not null references a)',
    );
    const { unfilled } = await fill();
    expect(Object.fromEntries(unfilled)).toEqual({
      a: 'It refers to b, which has no rows.',
      b: 'It refers to a, which has no rows.',
      c: 'It refers to a, which has no rows.',
    });
  });

  test('defaults are used in some rows, and identities and generated columns are left to the database', async () => {
    await run(
      `create table t (id int generated always as identity primary key, no serial, a text not null default 'standard', b text,
        c text generated always as (upper(a)) stored)`,
    );
    await fill();
    expect(await values('t', 'id')).toEqual(['1', '2', '3', '4', '5']);
    expect(await values('t', 'no')).toEqual(['1', '2', '3', '4', '5']);
    expect((await values('t', 'a')).filter((a) => a === 'standard')).toHaveLength(1);
    expect(await values('t', 'c')).toContain('STANDARD');
    expect(await count('t where b is null')).toBe(1);
  });

  test('odd tables are filled or reported', async () => {
    await run(
      'create schema "Odd ""s"',
      'create table "Odd ""s"."select" ("group" int unique, "or""der" text[] not null, "constructor" text, "__proto__" text)',
      'create table nothing ()',
      'create table parent (a int not null)',
      'create table child (b text not null) inherits (parent)',
      'create table listed (a int, b text) partition by list (b)',
      `create table listed_1 partition of listed for values in ('strange')`,
      'create table ranged (a int, at date) partition by range (at)',
      `create table ranged_1 partition of ranged for values from ('2031-01-01') to ('2031-02-01')`,
      'create table hashed (id int primary key) partition by hash (id)',
      'create table hashed_1 partition of hashed for values with (modulus 2, remainder 1)',
      'create table without_partition (a int) partition by range (a)',
      'create table refers (id int not null references hashed)',
      'create view seen as select * from parent',
      'create materialized view kept as select * from parent',
      'create unlogged table unlogged (a int)',
      'create table ruled (a int)',
      'create rule ruled_nothing as on insert to ruled do instead nothing',
      'create table guarded (a int)',
      'alter table guarded enable row level security',
      'alter table guarded force row level security',
      'create table apart (at tsrange not null, exclude using gist (at with &&))',
      `create table ${TRACKING} (id serial, name text)`,
    );
    const { inserted, unfilled } = await fill();
    expect(Object.fromEntries(unfilled)).toEqual({
      ruled: 'A trigger or rule discards the rows without an error.',
      without_partition: expect.stringContaining('no partition of relation'),
    });
    expect([...inserted.keys()].join()).not.toMatch(/seen|kept|mikro|_1/);
    const filled = [
      '"Odd ""s"."select"',
      'only parent',
      'child',
      'listed',
      'ranged',
      'refers',
      'unlogged',
      'guarded',
      'apart',
    ];
    for (const table of filled) expect([table, (await count(table)) > 0]).toEqual([table, true]);
    expect(await count(TRACKING)).toBe(0);
    expect(await exerciseTables(execute, TRACKING)).toEqual([]);
  });

  test('triggers fire, and those that refuse rows are reported', async () => {
    await run(
      'create table counted (a int)',
      'create table counter (n int not null)',
      'insert into counter values (0)',
      'create function count_rows() returns trigger language plpgsql as $$ begin update counter set n = n + 1 where n between 0 and 4; return new; end $$',
      'create trigger counting after insert on counted for each row execute function count_rows()',
      'create table refused (a int)',
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'Never %.', new.a; end $$`,
      'create trigger refusing before insert on refused for each row execute function refuse()',
      'create table odd (a int not null)',
      `create function refuse_large() returns trigger language plpgsql as $$ begin
        if abs(new.a::bigint) > 1 then raise exception 'Too large.'; end if; return new; end $$`,
      'create trigger refusing before insert on odd for each row execute function refuse_large()',
      'create table late (a int)',
      'create constraint trigger refusing_late after insert on late deferrable initially deferred for each row execute function refuse()',
    );
    const { inserted, unfilled } = await fill();
    expect(inserted.get('counted')).toBe(5);
    expect(await count('counter where n = 5')).toBe(1);
    expect(Object.fromEntries(unfilled)).toEqual({
      refused: expect.stringMatching(/^Never -?\d+\. In function refuse\(\)\.$/),
      late: expect.stringMatching(/^Never -?\d+\. In function refuse\(\)\.$/),
    });
    expect(inserted.get('odd')).toBeGreaterThan(2);
  });

  test('a second time inserts nothing, and the rows are the same on the next database', async () => {
    await run('create table t (a int, b text, c timestamptz not null)', `insert into t values (1, 'mine', 'epoch')`);
    expect((await fill()).inserted.get('t')).toBe(4);
    const rows = await execute('select * from t');
    expect((await fill()).inserted.get('t')).toBe(0);
    await run('delete from t', `insert into t values (1, 'mine', 'epoch')`);
    await fill();
    expect(await execute('select * from t')).toEqual(rows);
  });

  test('the transaction of the caller stays open', async () => {
    await run('create table t (a int)', 'begin');
    await fill();
    expect(await count('t')).toBe(5);
    await exerciseTables(execute, TRACKING);
    expect(await count('t')).toBe(5);
    await run('rollback');
    expect(await count('t')).toBe(0);
  });

  test('exercising tables finds the functions that fail, by operation, and leaves the rows alone', async () => {
    await run(
      'create table articles (id int generated always as identity primary key, slug text not null unique, favorites_count int not null default 0)',
      'create table favorites (reader int not null, article int not null references articles on delete cascade, primary key (reader, article))',
      `create function count_favorites() returns trigger language plpgsql as $$ begin
        update articles set favoritescount = 1 where id = new.article; return null; end $$`,
      'create table words (word text primary key, size int)',
      `create function set_size() returns trigger language plpgsql as $$ begin new.length := length(new.word); return new; end $$`,
      'create table kept (a int)',
      `create function log_delete() returns trigger language plpgsql as $$ begin
        insert into deleted_rows values (old.a); return old; end $$`,
    );
    expect((await fill()).inserted.get('favorites')).toBe(5);
    expect(await exerciseTables(execute, TRACKING)).toEqual([]);
    await run(
      'create trigger favorites_counted after insert on favorites for each row execute function count_favorites()',
      'create trigger size_set before update of word on words for each row execute function set_size()',
      'create trigger deleted before delete on kept for each row execute function log_delete()',
    );
    const rows = async () => [
      await values('favorites', 'article'),
      await values('words', 'word'),
      await values('kept', 'a'),
    ];
    const before = await rows();
    expect(await exerciseTables(execute, TRACKING)).toEqual([
      {
        table: 'favorites',
        operation: 'insert',
        code: '42703',
        message: 'column "favoritescount" of relation "articles" does not exist',
        routine: 'count_favorites()',
        trigger: 'trigger favorites_counted on favorites',
      },
      expect.objectContaining({ table: 'kept', operation: 'delete', code: '42P01', routine: 'log_delete()' }),
      expect.objectContaining({
        table: 'words',
        operation: 'update',
        routine: 'set_size()',
        trigger: 'trigger size_set on words',
      }),
    ]);
    expect(await rows()).toEqual(before);
  });

  test('exercising tables reaches triggers of keys that are used up, and code that runs only on a change', async () => {
    await run(
      'create table flags (flag boolean primary key, note text not null)',
      'create function after_flag() returns trigger language plpgsql as $$ begin perform missing_function(); return null; end $$',
      `create function on_change() returns trigger language plpgsql as $$ begin
        if new.note is distinct from old.note then perform other_missing_function(); end if; return new; end $$`,
    );
    await fill();
    await run(
      'create trigger after_flag after insert on flags for each row execute function after_flag()',
      'create trigger on_change before update on flags for each row execute function on_change()',
    );
    expect(await exerciseTables(execute, TRACKING)).toMatchObject([
      { table: 'flags', operation: 'insert', routine: 'after_flag()' },
      { table: 'flags', operation: 'update', routine: 'on_change()' },
    ]);
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

test('random tables are filled, whatever their columns, keys and references', async () => {
  const engine = await openMemoryEngine();
  const execute: Execute = async (sql) => (await engine.query<Row>(sql)).rows;
  const type = fc.constantFrom(...TYPES);
  const column = fc.record({ type, required: fc.boolean(), unique: fc.boolean(), array: fc.boolean() });
  const table = fc.record({
    columns: fc.array(column, { minLength: 1, maxLength: 6 }),
    key: fc.constantFrom(
      'serial',
      'int',
      'uuid',
      'text',
      'varchar(3)',
      'timestamptz',
      'bigint generated always as identity',
    ),
    refersTo: fc.option(fc.nat(3)),
    mayBeNull: fc.boolean(),
  });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(table, { minLength: 1, maxLength: 4 }), async (tables) => {
        await execute('begin');
        try {
          const keys = tables.map(({ key }) => key.replace(/^serial/, 'int').replace(/ generated.*/, ''));
          for (const [i, { columns, key }] of tables.entries()) {
            const list = columns.map(
              (each, j) =>
                `"Column ${j}" ${each.type}${each.array ? '[]' : ''}${each.required ? ' not null' : ''}${each.unique && !UNORDERED.has(each.type) ? ' unique' : ''}`,
            );
            await execute(`create table "T ${i}" (id ${key} primary key, ${list.join(', ')})`);
          }
          for (const [i, { refersTo, mayBeNull }] of tables.entries()) {
            if (refersTo === null) continue;
            const target = refersTo % tables.length;
            // A required reference to a later table may be circular.
            const required = mayBeNull || target > i ? '' : 'not null';
            await execute(
              `alter table "T ${i}" add column "refers to" ${keys[target]} ${required} references "T ${target}"`,
            );
          }
          const { inserted, unfilled } = await insertSampleRows(execute, TRACKING);
          expect([...unfilled]).toEqual([]);
          expect([...inserted.values()].filter((rows) => rows < 2)).toEqual([]);
          expect(await exerciseTables(execute, TRACKING)).toEqual([]);
        } finally {
          await execute('rollback');
        }
      }),
      { numRuns: 40 },
    );
  } finally {
    await engine.close();
  }
});

test('the tables of this project are filled through its own migrations', async () => {
  const embedded = await openEmbeddedDatabase({ folder: 'memory' });
  const folder = mkdtempSync(join(tmpdir(), 'sample-rows-'));
  const config = ormConfig({ connection: embedded.connection, migrationLock: join(folder, 'migration.lock') });
  const orm = await MikroORM.init({ ...config, migrations: { ...config.migrations, silent: true } });
  try {
    await applyPendingMigrations(orm);
    const execute: Execute = (sql) => orm.em.getConnection().execute(sql);
    const { inserted, unfilled } = await insertSampleRows(execute, TRACKING);
    expect([...unfilled]).toEqual([]);
    expect(inserted.size).toBeGreaterThan(8);
    // The triggers of articles fill one table, and another one has one row at most.
    expect([...inserted].filter(([, rows]) => rows < 3).toSorted()).toEqual([
      ['article_slugs', 0],
      ['search_settings', 1],
    ]);
    expect(await exerciseTables(execute, TRACKING)).toEqual([]);
  } finally {
    await orm.close();
    await embedded.close();
    rmSync(folder, { recursive: true });
  }
});
