import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readCatalog } from '../../src/migration-safety/catalog/catalog.ts';
import { toMigrations } from '../../src/migration-safety/plan/order.ts';
import { planOperations } from '../../src/migration-safety/plan/plan.ts';
import { insertSampleRows } from '../../src/migration-safety/shadow/sample-rows.ts';
import { tryRoundTrip } from '../../src/migration-safety/verify/round-trip.ts';
import { COLUMN_TYPES } from './models/column-types.ts';
import { DATABASES, empty, type ModelDatabase } from './models/database.ts';

vi.setConfig({ testTimeout: 60_000 });

const TRACKING = 'mikro_orm_migrations';

let database: ModelDatabase;
beforeAll(async () => {
  database = await DATABASES['on a server']();
});
afterAll(() => database.close());

const LEVELS = "create type level as enum ('low', 'high'); create table t (id int, level level unique)";
const REORDERED = LEVELS.replace("'low', 'high'", "'high', 'low'");
const EXTENDED = LEVELS.replace("'high'", "'high', 'top'");
const LONG = 'e'.repeat(63);
const NAMED = `create type "quo""te" as enum ('low', 'high'); create type ${LONG} as enum ('low', 'high'); create table t (a "quo""te", b ${LONG})`;
const TRIGGER = 'create function f() returns trigger language plpgsql as $$ begin return new; end $$';
const COMPUTED =
  "alter table t add is_low boolean generated always as (level = 'low') stored; create index i on t (is_low); alter table t add constraint c check (is_low is not null or id > 0)";
const ARTICLES = 'create table articles (id int not null, slug text, body text)';

/** Replaced under the same name and under another, as what is written in the schema before and after. */
const REPLACED: Record<string, [before: string, after: string]> = {
  'an index that becomes partial': [
    'create index by_slug on articles (slug)',
    "create index by_slug on articles (slug) where slug <> ''",
  ],
  'an index that becomes partial and gets another name': [
    'create index by_slug on articles (slug)',
    "create index some_by_slug on articles (slug) where slug <> ''",
  ],
  'an index of one column that gets a second one, which is new': [
    'create index by_slug on articles (slug)',
    'alter table articles add column language text; create index by_slug on articles (slug, language)',
  ],
  'an index of a column that gets a default': [
    'create index by_slug on articles (slug)',
    "create index by_slug on articles (slug) where slug <> ''; alter table articles alter column slug set default ''",
  ],
  'an index that becomes a unique constraint': [
    'create index by_slug on articles (slug)',
    'alter table articles add constraint by_slug unique (slug)',
  ],
  'a unique constraint that becomes a partial unique index': [
    'alter table articles add constraint articles_slug_unique unique (slug)',
    "create unique index articles_slug_unique on articles (slug) where slug <> ''",
  ],
  'a unique constraint that becomes an index of another name': [
    'alter table articles add constraint articles_slug_unique unique (slug)',
    'create index by_slug on articles (slug)',
  ],
  'a unique constraint that becomes deferrable': [
    'alter table articles add constraint articles_slug_unique unique (slug)',
    'alter table articles add constraint articles_slug_unique unique (slug) deferrable initially deferred',
  ],
  'a unique constraint of one column that gets a second one': [
    'alter table articles add constraint articles_slug_unique unique (slug)',
    'alter table articles add constraint articles_slug_unique unique (slug, body)',
  ],
  'a primary key that another one replaces': [
    'alter table articles alter column slug set not null, add constraint articles_pkey primary key (slug)',
    'alter table articles alter column slug set not null, add constraint articles_key primary key (slug, id)',
  ],
};

test.each(Object.entries(REPLACED))('queries by slug have an index at any time: %s', async (_, [before, after]) => {
  const planned = await migrationsBetween(`${ARTICLES}; ${before}`, `${ARTICLES}; ${after}`);
  const steps = [...planned.flatMap(({ up }) => up), ...[...planned].reverse().flatMap(({ down }) => down)];
  for (const sql of steps) {
    await database.execute(sql);
    const indexes = await database.execute(
      `select indexrelid::regclass from pg_index
        where indrelid = 'articles'::regclass and indisvalid and pg_get_indexdef(indexrelid, 1, true) = 'slug'`,
    );
    expect(indexes, `${sql}\nof\n${steps.join('\n')}`).not.toEqual([]);
  }
});

test.each(Object.entries(REPLACED))('is replaced, restored and replaced again: %s', async (_, [before, after]) => {
  expect(await faultsBetween(`${ARTICLES}; ${before}`, `${ARTICLES}; ${after}`)).toEqual([]);
});

/** Changes whose operations have one order that works, up and down, by what that order is about. */
const ORDERED: Record<string, Record<string, [before: string, after: string, rows?: 'without rows']>> = {
  'an enum that is made anew': {
    'with two views, one of the other, a policy and a trigger': [
      `${LEVELS}; create view a as select level from t; create view b as select level from t; create view c as select * from a;
        create policy p on t using (level is not null); ${TRIGGER}; create trigger g before update of level on t for each row execute function f()`,
      `${REORDERED}; create view a as select level from t; create view b as select level from t; create view c as select * from a;
        create policy p on t using (level is not null); ${TRIGGER}; create trigger g before update of level on t for each row execute function f()`,
    ],
    'with a foreign key of it, and a computed column that has an index and a check': [
      `${LEVELS}; create table u (level level references t (level)); ${COMPUTED}`,
      `${REORDERED}; create table u (level level references t (level)); ${COMPUTED}`,
    ],
    'with a policy and a trigger': [
      `${LEVELS}; create policy p on t using (level is not null); ${TRIGGER}; create trigger g before update of level on t for each row execute function f()`,
      `${REORDERED}; create policy p on t using (level is not null); ${TRIGGER}; create trigger g before update of level on t for each row execute function f()`,
    ],
    'with a foreign key of it': [
      `${LEVELS}; create table u (level level references t (level))`,
      `${REORDERED}; create table u (level level references t (level))`,
    ],
    'without the default of a column, which gets another one': [
      "create type level as enum ('low', 'mid', 'high'); create table t (id int, level level default 'mid', other level default 'mid')",
      "create type level as enum ('low', 'high'); create table t (id int, level level default 'high', other level)",
      'without rows',
    ],
    'while one column leaves it and another one is added': [
      `${LEVELS}; alter table t add other level`,
      `${REORDERED}; alter table t add other text, add third level`,
    ],
    'while another column becomes of it': [
      `${LEVELS}; alter table t add other level, add third text`,
      `${REORDERED}; alter table t add other text, add third level`,
      'without rows',
    ],
  },
  'an enum whose name has to be quoted or is long': {
    'with values in another order': [NAMED, NAMED.replaceAll("'low', 'high'", "'high', 'low'")],
    'with one more value': [NAMED, NAMED.replaceAll("'high'", "'high', 'top'")],
  },
  'an enum that gets a value': {
    'which is a default at once': [LEVELS, `${EXTENDED}; alter table t alter level set default 'top'`],
    'while views of it are dropped and made': [
      `${LEVELS}; create view a as select level from t; create view b as select * from a; create materialized view m as select level from t; create index i on m (level)`,
      `${EXTENDED}; create view a as select level from t; create view c as select * from a; create materialized view m as select level from t; create index i on m (level)`,
    ],
    'with a foreign key of it, and a computed column that has an index and a check': [
      `${LEVELS}; create table u (level level references t (level)); ${COMPUTED}`,
      `${EXTENDED}; create table u (level level references t (level)); ${COMPUTED}`,
    ],
  },
  'a schema that is dropped': {
    'with the sequence of a column, which has another name than a serial': [
      'create schema blog; create table blog.t (id bigserial); alter sequence blog.t_id_seq rename to numbers',
      '',
    ],
  },
  'a partial index that compares two columns': {
    'which both become text': [
      'create table t (low int, high int); create index is_ordered on t (low) where low <= high',
      'create table t (low text, high text); create index is_ordered on t (low) where low <= high',
    ],
  },
  'a check of two columns': {
    'which both get another type': [
      'create table t (id int, since date, until date, constraint is_ordered check (since <= until))',
      'create table t (id int, since timestamptz, until timestamptz, constraint is_ordered check (since <= until))',
      'without rows',
    ],
    'which both become arrays': [
      'create table t (low int, high int, constraint is_ordered check (low <= high))',
      'create table t (low int[], high int[], constraint is_ordered check (low <= high))',
      'without rows',
    ],
  },
  'a new foreign key': {
    'of a column that was unique and becomes the primary key': [
      'create table t (id int primary key, code int not null constraint by_code unique)',
      'create table t (id int not null, code int constraint t_pkey primary key, parent int references t)',
    ],
  },
  'a changed foreign key': {
    'of a column that was unique and becomes the primary key': [
      'create table t (id int primary key, code int not null constraint by_code unique, parent int constraint by_parent references t (code))',
      'create table t (id int not null, code int constraint t_pkey primary key, parent int constraint by_parent references t on delete cascade)',
    ],
  },
  'a dropped column that may be null': {
    'while one that is required is computed from it': [
      'create table t (id int, slug text, key text generated always as (lower(slug)) stored not null)',
      'create table t (id int)',
    ],
  },
  'a dropped column that is unique': {
    'and has a default': ["create table t (id int, code text default 'none' unique)", 'create table t (id int)'],
  },
  'a primary key': {
    'of a new column, while the column of the one before gets another type': [
      'create table t (id int constraint t_old primary key); create table u (t_id uuid, id int constraint by_t references t)',
      'create table t (id text not null, number int generated by default as identity constraint t_new primary key); create table u (t_id uuid, id int constraint by_t references t)',
      'without rows',
    ],
  },
  'a dropped column that refers to a key': {
    'with another one, in a table that has a deferred foreign key too': [
      `create table u (id int, code int, primary key (id, code));
        create table t (id int primary key, u_id int not null, u_code int not null, t_id int references t initially deferred, foreign key (u_id, u_code) references u)`,
      'create table u (id int, code int, primary key (id, code)); create table t (id int primary key, t_id int references t initially deferred)',
    ],
    'which is dropped too': [
      'create table t (id int, code text not null unique, a_parent text not null references t (code))',
      'create table t (id int)',
    ],
    'which is dropped too, and comes after it': [
      'create table t (id int, a_parent text not null, code text not null unique, foreign key (a_parent) references t (code))',
      'create table t (id int)',
    ],
    'which is dropped too, and whose name is part of its own': [
      'create table t (id int, key text not null unique, parent_key text not null references t (key))',
      'create table t (id int)',
    ],
    'which becomes of another type': [
      'create table t (id uuid primary key default gen_random_uuid()); alter table t add author uuid not null references t',
      'create table t (id text primary key)',
    ],
  },
  'an enum that is dropped': {
    'with a view of its column, which becomes text': [
      "create type level as enum ('low'); create table t (level level); create view v as select level from t",
      'create table t (level text)',
    ],
    'with an index of its column, which becomes text': [
      "create type level as enum ('low'); create table t (level level); create index i on t (level)",
      'create table t (level text)',
      'without rows',
    ],
  },
  'a name that is free once its object is gone': {
    'of a table, for a view': ['create table t (id int)', 'create view t as select 1 as id', 'without rows'],
    'of a view, for a table': ['create view t as select 1 as id', 'create table t (id int)', 'without rows'],
    'of a view, for a sequence': ['create view t as select 1 as id', 'create sequence t'],
    'of a view, for a type': ['create view t as select 1 as id', "create type t as enum ('a')"],
    'of a table, for a type': ['create table t (id int)', "create type t as enum ('a')", 'without rows'],
    'of a type, for a table': ["create type t as enum ('a')", 'create table t (id int)'],
    'of a table, for a sequence': ['create table t (id int)', 'create sequence t', 'without rows'],
    'of a sequence, for a table': ['create sequence t', 'create table t (id int)'],
    'of an index, for one of another table': [
      'create table t (id int); create table u (id int); create index i on t (id)',
      'create table t (id int); create table u (id int); create index i on u (id)',
    ],
    'of an index, for an exclusion constraint of another table': [
      'create table t (id int); create table u (id int); create index i on t (id)',
      'create table t (id int); create table u (id int, constraint i exclude using btree (id with =))',
    ],
    'of a unique constraint, for one of another table': [
      'create table t (id int constraint i unique); create table u (id int)',
      'create table t (id int); create index j on t (id); create table u (id int constraint i unique)',
    ],
    'of a check, for a foreign key': [
      'create table t (id int primary key, t_id int constraint c check (t_id <> 7))',
      'create table t (id int primary key, t_id int constraint c references t)',
    ],
    'of an index, for a sequence': [
      'create table t (id int); create index i on t (id)',
      'create table t (id int); create sequence i',
    ],
    'of a trigger that changes': [
      `create table t (id int); ${TRIGGER}; create trigger g before insert on t for each row execute function f()`,
      `create table t (id int); ${TRIGGER}; create trigger g before update on t for each row execute function f()`,
    ],
    'of a policy that changes': [
      'create table t (id int); create policy p on t using (id > 1)',
      'create table t (id int); create policy p on t using (id > 2)',
    ],
    'of a function whose result changes, which a new check calls': [
      "create table t (id int); create function f(int) returns int immutable language sql as 'select 1'",
      "create table t (id int); create function f(int) returns bigint immutable language sql as 'select 1::bigint'; alter table t add check (f(id) > 0)",
    ],
    'of a computed column that changes': [
      'create table t (id int, n int generated always as (id % 2) stored)',
      'create table t (id int, n int generated always as (id % 3) stored)',
    ],
  },
  'a sequence and its column': {
    'which gets it': [
      'create table t (id int not null); create sequence s',
      "create table t (id int not null default 1); create sequence s owned by t.id; alter table t alter id set default nextval('s')",
    ],
    'which is new': [
      'create table t (id int)',
      "create table t (id int); create sequence s; alter table t add n int default nextval('s'); alter sequence s owned by t.n",
    ],
    'which is new and waits for a function whose result changes': [
      "create table t (id int); create sequence s; create function f() returns int language sql as 'select 1'",
      "create table t (id int); create sequence s; create function f() returns bigint language sql as 'select 1::bigint'; alter table t add n bigint default f(); alter sequence s owned by t.n",
    ],
    'which is dropped while the sequence stays': [
      "create table t (id int); create sequence s; alter table t add n int default nextval('s'); alter sequence s owned by t.n",
      'create table t (id int); create sequence s',
    ],
    'which is dropped with it': [
      'create table t (id int); create sequence s start 5; alter table t add n int; alter sequence s owned by t.n',
      'create table t (id int)',
    ],
    'whose table is dropped while the sequence stays': [
      'create table t (id int); create sequence s owned by t.id',
      'create sequence s',
      'without rows',
    ],
    'which another column replaces': [
      "create table t (id int); create sequence s; alter table t add n int default nextval('s'); alter sequence s owned by t.n",
      "create table t (id int); create sequence s; alter table t add m int default nextval('s'); alter sequence s owned by t.m",
      'without rows',
    ],
    'which another column replaces, that waits for a function whose result changes': [
      "create sequence s; create function f() returns int language sql as 'select 1'; create table t (id int, n int); alter sequence s owned by t.n",
      "create sequence s; create function f() returns bigint language sql as 'select 1::bigint'; create table t (id int, m bigint default f()); alter sequence s owned by t.m",
      'without rows',
    ],
    'which gets another type, serial': ['create table t (id serial)', 'create table t (id bigserial)'],
    'which has an identity and becomes serial': [
      'create table t (id int generated always as identity)',
      'create table t (id serial)',
    ],
    'which is serial and gets an identity': [
      'create table t (id serial)',
      'create table t (id int generated always as identity)',
    ],
  },
  'an identity': {
    'of a column that becomes nullable text': [
      'create table t (id int, n bigint generated by default as identity)',
      'create table t (id int, n text)',
    ],
    'that a nullable column gets': [
      'create table t (id int, n int)',
      'create table t (id int, n int generated always as identity)',
      'without rows',
    ],
    'that gets another kind and other options': [
      'create table t (id int generated by default as identity)',
      'create table t (id int generated always as identity (start 7 increment 3 minvalue 2 maxvalue 500 cache 4 cycle))',
    ],
    'of a column that gets another type': [
      'create table t (id int generated always as identity (cycle))',
      'create table t (id bigint generated by default as identity)',
    ],
  },
  'a materialized view': {
    'is dropped with its index, and with the function that the index calls': [
      "create table t (a int); create function f(int) returns int immutable language sql as 'select 1'; create materialized view m as select a from t; create unique index i on m (f(a))",
      'create table t (a int)',
      'without rows',
    ],
  },
  'a table': {
    'with forced row security and a policy that calls a function is dropped': [
      `create function f() returns boolean language sql as 'select true'; create table t (a int);
        alter table t enable row level security, force row level security; create policy p on t using (f())`,
      'select 1',
      'without rows',
    ],
    'is dropped with another one, and each refers to the other': [
      'create table t (id int primary key, u_id int); create table u (id int primary key, t_id int references t); alter table t add foreign key (u_id) references u',
      'select 1',
      'without rows',
    ],
  },
  'a column': {
    'whose type changes while a view, a policy and a trigger read it': [
      `create table t (a int); create view v as select a from t; create policy p on t using (a > 0); ${TRIGGER}; create trigger g before update on t for each row when (new.a > 0) execute function f()`,
      `create table t (a bigint); create view v as select a from t; create policy p on t using (a > 0); ${TRIGGER}; create trigger g before update on t for each row when (new.a > 0) execute function f()`,
    ],
    'whose collation changes': ['create table t (a text)', 'create table t (a text collate "C")'],
    'whose type and collation change': ['create table t (a varchar(20) collate "C")', 'create table t (a text)'],
    'whose row security is forced': [
      'create table t (id int); alter table t enable row level security',
      'create table t (id int); alter table t enable row level security, force row level security',
    ],
    'with a unique expression is dropped': [
      'create table t (id int, a text); create unique index i on t (lower(a))',
      'create table t (id int)',
    ],
    'with nulls that are one value is dropped': [
      'create table t (id int, a int unique nulls not distinct)',
      'create table t (id int)',
    ],
    'that refers to a table is dropped with that table': [
      'create table u (id int primary key); create table t (id int, u_id int not null references u); create view v as select u_id from t',
      'create table t (id int)',
      'without rows',
    ],
    'of an enum that is required and unique is dropped': [
      "create type level as enum ('low', 'mid', 'high'); create table t (id int, level level not null unique)",
      "create type level as enum ('low', 'mid', 'high'); create table t (id int)",
    ],
    'of an enum of another schema that is required is dropped': [
      "create schema blog; create type blog.level as enum ('low'); create table t (id int, level blog.level not null)",
      "create schema blog; create type blog.level as enum ('low'); create table t (id int)",
    ],
    'of a domain that is required is dropped': [
      'create domain price as numeric(6,2); create domain cost as price; create table t (id int, price price not null, cost cost not null unique)',
      'create domain price as numeric(6,2); create domain cost as price; create table t (id int)',
    ],
    'that is required and unique is dropped': [
      'create table t (id int, a text not null unique, b date not null, c uuid not null unique, d int not null default 7 unique, unique (id, b))',
      'create table t (id int)',
    ],
  },
  'a constraint through an index': {
    'that is deferrable': [
      'create table t (id int, a int)',
      'create table t (id int, a int); alter table t add constraint i unique (a) deferrable, add constraint j unique (id, a) deferrable initially deferred',
    ],
    'that a foreign key needs': [
      'create table t (id int); create table u (id int)',
      'create table t (id int unique); create table u (id int references t (id) on delete cascade deferrable)',
    ],
  },
};

for (const [what, cases] of Object.entries(ORDERED))
  test.each(Object.entries(cases))(`${what}: %s`, async (_, [before, after, rows]) => {
    expect(await faultsBetween(before, after, rows)).toEqual([]);
  });

test('a required unique column of any type is dropped, and has a value in each row after down', async () => {
  const types = Object.entries(COLUMN_TYPES).flatMap(([type, { ordered, options }]) =>
    ordered && !options && !type.includes('enum') ? [type] : [],
  );
  const kept = types.map((_, i) => `create table t${i} (id int)`).join('; ');
  const columns = types.map((type, i) => `alter table t${i} add a ${type} not null unique`).join('; ');
  expect(await faultsBetween(`${kept}; ${columns}`, kept)).toEqual([]);
});

test('a migration in a transaction changes one table, and a serial column is one statement', async () => {
  const planned = await migrationsBetween(
    'create table t (id int); create table u (id int)',
    'create table t (id int, a int, b serial); create table u (id int, a int)',
  );
  expect(planned.map(({ up }) => up)).toEqual([
    ['alter table "t" add column "a" int', 'alter table "t" add column "b" serial'],
    ['alter table "u" add column "a" int'],
  ]);
});

test('what makes way for the type of a column is back in the same transaction', async () => {
  const schema = (type: string) =>
    [
      `${TRIGGER}; create type level as enum ('low', 'high'); create table t (id int, a ${type}, constraint c check (a <> 'low' or id > 0))`,
      "create trigger counts after update on t for each row when (old.a <> 'low') execute function f()",
      "alter table t enable row level security; create policy sees on t using (a <> 'low')",
      "create index i on t (id) where a <> 'low'",
    ].join('; ');
  const planned = await migrationsBetween(schema('text'), schema('level'));
  expect(
    planned.map(({ up }) => up.map((sql) => sql.replace(/alter table "t" |"| (if|on|not|check|type) .*/g, ''))),
  ).toEqual([
    ['drop index concurrently'],
    [
      'drop constraint c',
      'drop trigger counts',
      'drop policy sees',
      'alter column a',
      'add constraint c',
      'create trigger counts after update',
      'create policy sees',
    ],
    ['create index concurrently'],
    ['validate constraint c'],
  ]);
});

test('a trigger gets its other function in the migration that makes it', async () => {
  const planned = await migrationsBetween(
    `${TRIGGER}; create table t (id int); create trigger counts after update on t for each row execute function f()`,
    `${TRIGGER.replace('f()', 'g()')}; create table t (id int, a int); create index i on t (a); create trigger counts after update on t for each row execute function g()`,
  );
  expect(planned.map(({ up }) => up.map((sql) => /^[a-z]+( or replace)? \w+/i.exec(sql)?.[0].toLowerCase()))).toEqual([
    ['create or replace function', 'drop trigger', 'alter table', 'create trigger', 'drop function'],
    ['create index'],
  ]);
});

test('a foreign key that changes is made anew at once, while its column becomes required', async () => {
  const users = 'create table users (id int primary key)';
  const migrations = await migrationsBetween(
    `${users}; create table t (id int, author int constraint by_author references users on delete set null)`,
    `${users}; create table t (id int, author int not null constraint by_author references users on delete cascade)`,
  );
  const dropping = migrations.find(({ up }) => up.some((sql) => sql.includes('drop constraint "by_author"')));
  expect(dropping?.up.join()).toContain('add constraint "by_author" foreign key');
});

test('a check of a dropped column is restored by down, for later rows only if the rows break it', async () => {
  const kept = 'create table t (id int)';
  const priced = 'create table t (id int, price int not null, constraint is_dear check (price > 5))';
  expect(await faultsBetween(priced, kept, 'without rows')).toEqual([]);
  const [says, ...details] = await faultsBetween(priced, kept);
  expect(says).toBe('down does not undo everything that up does.');
  expect(details[0]).toMatch(/^table t, constraint is_dear: .* the state after down has CHECK .* NOT VALID$/);
  expect(details[1]).not.toMatch(/the state after down/);
});

test.each([
  ['macaddr', 'macaddr8', '08:00:2b:01:02:03'],
  ['int', 'boolean', '1'],
  ['bigint', 'boolean', '0'],
  ['boolean', 'int', 'true'],
  ['boolean', 'smallint', 'false'],
  ['boolean[]', 'bigint[]', '{t,f}'],
])('%s becomes %s, and again what it was', async (from, to, value) => {
  const [before, after] = [`create table t (v ${from})`, `create table t (v ${to})`];
  const migrations = await migrationsBetween(before, after);
  await database.execute(`insert into t values ('${value}')`);
  const [old] = await database.execute('select v::text from t');
  for (const sql of migrations.flatMap(({ up }) => up)) await database.execute(sql);
  for (const sql of [...migrations].reverse().flatMap(({ down }) => down)) await database.execute(sql);
  expect(await database.execute('select v::text from t')).toEqual([old]);
});

test.each(['smallint', 'int', 'bigint', 'numeric(8)', 'real', 'float8', 'real[]'])(
  '%s becomes money, and money becomes it',
  async (type) => {
    const isArray = type.endsWith('[]');
    const [before, after] = [`create table t (n ${type})`, `create table t (n money${isArray ? '[]' : ''})`];
    expect(await faultsBetween(before, after, 'without rows')).toEqual([]);
    const migrations = await migrationsBetween(before, after);
    await database.execute(`insert into t values (${isArray ? "'{7}'" : 7})`);
    for (const sql of migrations.flatMap(({ up, down }) => [...up, ...down])) await database.execute(sql);
    expect(await database.execute('select n::text from t')).toEqual([{ n: isArray ? '{7}' : '7' }]);
  },
);

/** What is wrong with a round trip between two schemas, as lines. */
async function faultsBetween(before: string, after: string, rows?: 'without rows'): Promise<string[]> {
  const expected = await catalogOf(after);
  const planned = await migrationsBetween(before, after);
  if (!rows) await insertSampleRows(database.execute, TRACKING);
  const run = async (statements: string[], transactional: boolean) => {
    if (transactional) await database.execute('begin');
    try {
      for (const sql of statements) await database.execute(sql);
    } catch (error) {
      if (transactional) await database.execute('rollback');
      throw error;
    }
    if (transactional) await database.execute('commit');
  };
  const steps = planned.map(({ up, down, transactional }) => ({
    up: () => run(up, transactional),
    down: () => run(down, transactional),
  }));
  const found = await tryRoundTrip(steps, { execute: database.execute, trackingTable: TRACKING, expected });
  return found ? [found.says, ...found.details, ...planned.flatMap(({ up, down }) => [...up, ...down])] : [];
}

/** The migrations between two schemas. The database is that of before. */
async function migrationsBetween(before: string, after: string) {
  const entities = await catalogOf(after);
  return toMigrations(planOperations(await catalogOf(before), entities).operations);
}

async function catalogOf(script: string) {
  await empty(database);
  await database.run(script);
  return readCatalog(database.execute, TRACKING);
}
