/**
 * For each rule, SQL that it refuses and similar SQL that it allows. `outside` marks the SQL that runs outside a
 * transaction. `squawk` is the rule of squawk-cli that also refuses `refused`.
 */
export interface Example {
  refused: string;
  allowed: string;
  outside?: { refused?: boolean; allowed?: boolean };
  /** The SQL of earlier migrations. */
  earlier?: string;
  squawk?: string;
}

const CREATE_TABLE = 'create table t (id int primary key);';

export const CORPUS: Record<string, Example> = {
  'blocking-index': {
    refused: 'create index i on t (a)',
    allowed: `${CREATE_TABLE} create index i on t (id)`,
    squawk: 'require-concurrent-index-creation',
  },
  'blocking-drop-index': {
    refused: 'drop index i',
    allowed: 'drop index concurrently i',
    outside: { allowed: true },
    squawk: 'require-concurrent-index-deletion',
  },
  'blocking-reindex': {
    refused: 'reindex index i',
    allowed: 'reindex index concurrently i',
    outside: { allowed: true },
    squawk: 'require-concurrent-reindex',
  },
  'nameless-index': {
    refused: 'create index concurrently on t (a)',
    allowed: 'create index concurrently i on t (a)',
    outside: { refused: true, allowed: true },
  },
  'concurrent-in-transaction': {
    refused: 'create table u (id int); create index concurrently i on t (a)',
    allowed: 'create index concurrently i on t (a)',
    outside: { allowed: true },
    squawk: 'ban-concurrent-index-creation-in-transaction',
  },
  'drop-table': { refused: 'drop table t', allowed: `${CREATE_TABLE} drop table t`, squawk: 'ban-drop-table' },
  'rename-table': {
    refused: 'alter table t rename to u',
    allowed: 'alter table t rename to u; create view t as select * from u',
    squawk: 'renaming-table',
  },
  truncate: { refused: 'truncate t', allowed: `${CREATE_TABLE} truncate t` },
  'truncate-cascade': {
    refused: 'truncate t cascade',
    allowed: `${CREATE_TABLE} truncate t`,
    squawk: 'ban-truncate-cascade',
  },
  'drop-cascade': { refused: 'alter table t drop constraint c cascade', allowed: 'alter table t drop constraint c' },
  'set-schema': { refused: 'alter table t set schema s', allowed: `${CREATE_TABLE} alter table t set schema s` },
  'set-tablespace': {
    refused: 'alter table t set tablespace s',
    allowed: `${CREATE_TABLE} alter table t set tablespace s`,
  },
  'set-logged': {
    refused: 'alter table t set logged',
    allowed: 'create unlogged table t (id int); alter table t set logged',
  },
  'set-unlogged': { refused: 'alter table t set unlogged', allowed: 'create unlogged table t (id int)' },
  cluster: { refused: 'cluster t using i', allowed: 'alter table t cluster on i' },
  'vacuum-full': { refused: 'vacuum full t', allowed: 'vacuum t', outside: { refused: true, allowed: true } },
  'lock-table': { refused: 'lock table t in share mode', allowed: 'lock table t in row exclusive mode' },
  'attach-partition': {
    refused: "alter table t attach partition p for values in ('a')",
    allowed: `${CREATE_TABLE} alter table t attach partition p for values in ('a')`,
  },
  'detach-partition': {
    refused: 'alter table t detach partition p',
    allowed: 'alter table t detach partition p concurrently',
    outside: { allowed: true },
    squawk: 'require-concurrent-partition-detach',
  },
  'row-security-without-policy': {
    refused: 'alter table t enable row level security',
    allowed: 'create policy p on t using (true); alter table t enable row level security',
  },
  'disable-trigger': { refused: 'alter table t disable trigger all', allowed: 'alter table t enable trigger all' },
  'drop-column': {
    refused: 'alter table t drop column a',
    allowed: `${CREATE_TABLE} alter table t drop column id`,
    squawk: 'ban-drop-column',
  },
  'rename-column': {
    refused: 'alter table t rename a to b',
    allowed: `${CREATE_TABLE} alter table t rename id to b`,
    squawk: 'renaming-column',
  },
  'required-column': {
    refused: 'alter table t add column a int not null',
    allowed: 'alter table t add column a int not null default 0',
    squawk: 'adding-required-field',
  },
  'volatile-default': {
    refused: 'alter table t add column a uuid default gen_random_uuid()',
    allowed: 'alter table t add column a timestamptz default now()',
    squawk: 'adding-field-with-default',
  },
  'serial-column': { refused: 'alter table t add column a bigserial', allowed: 'alter table t add column a bigint' },
  'generated-column': {
    refused: 'alter table t add column a int generated always as (b + 1) stored',
    allowed: 'alter table t add column a int generated always as (b + 1) virtual',
    squawk: 'adding-field-with-default',
  },
  'change-type': {
    refused: 'alter table t alter column a type bigint',
    allowed: `${CREATE_TABLE} alter table t alter column id type bigint`,
    squawk: 'changing-column-type',
  },
  'set-not-null': {
    refused: 'alter table t alter column a set not null',
    allowed: 'alter table t validate constraint t_a_not_null; alter table t alter column a set not null',
    squawk: 'adding-not-nullable-field',
  },
  'drop-not-null': {
    refused: 'alter table t alter column a drop not null',
    allowed: `${CREATE_TABLE} alter table t alter column id drop not null`,
    squawk: 'ban-drop-not-null',
  },
  'inline-foreign-key': {
    refused: 'alter table t add column a int references u (id)',
    allowed: 'alter table t add column a int',
    squawk: 'adding-foreign-key-constraint',
  },
  'inline-unique': {
    refused: 'alter table t add column a int unique',
    allowed: 'create table t (a int unique)',
    squawk: 'disallowed-unique-constraint',
  },
  'inline-check': {
    refused: 'alter table t add column a int check (a > 0)',
    allowed: 'create table t (a int check (a > 0))',
  },
  'json-column': { refused: 'create table t (a json)', allowed: 'create table t (a jsonb)' },
  'char-column': {
    refused: 'create table t (a char(3))',
    allowed: 'create table t (a text)',
    squawk: 'ban-char-field',
  },
  'timestamp-without-zone': {
    refused: 'create table t (a timestamp)',
    allowed: 'create table t (a timestamptz)',
    squawk: 'prefer-timestamp-tz',
  },
  'money-column': { refused: 'create table t (a money)', allowed: 'create table t (a numeric)' },
  'small-key': {
    refused: 'create table t (id smallserial primary key)',
    allowed: 'create table t (id bigserial primary key)',
    squawk: 'prefer-bigint-over-smallint',
  },
  'validated-foreign-key': {
    refused: 'alter table t add constraint f foreign key (a) references u (id)',
    allowed: 'alter table t add constraint f foreign key (a) references u (id) not valid',
    squawk: 'adding-foreign-key-constraint',
  },
  'validated-check': {
    refused: 'alter table t add constraint c check (a > 0)',
    allowed: 'alter table t add constraint c check (a > 0) not valid',
    squawk: 'constraint-missing-not-valid',
  },
  'validated-at-once': {
    refused: 'alter table t add constraint c check (a > 0) not valid; alter table t validate constraint c',
    allowed: 'alter table t validate constraint c',
    squawk: 'constraint-missing-not-valid',
  },
  'blocking-unique': {
    refused: 'alter table t add constraint u unique (a)',
    allowed: 'alter table t add constraint u unique using index u',
    squawk: 'disallowed-unique-constraint',
  },
  'blocking-primary-key': {
    refused: 'alter table t add constraint p primary key (a)',
    allowed: 'alter table t add constraint p primary key using index p',
    squawk: 'adding-serial-primary-key-field',
  },
  'exclusion-constraint': {
    refused: 'alter table t add constraint e exclude using gist (a with &&)',
    allowed: 'create table t (a int4range, constraint e exclude using gist (a with &&))',
    squawk: 'constraint-missing-not-valid',
  },
  'nameless-constraint': {
    refused: 'alter table t add check (a > 0) not valid',
    allowed: 'alter table t add constraint c check (a > 0) not valid',
  },
  'drop-primary-key': {
    refused: 'alter table t drop constraint t_pkey',
    allowed: 'alter table t drop constraint t_a_check',
  },
  'require-column': {
    refused: 'alter table t add constraint c check (a is not null) not valid',
    allowed: 'alter table t add constraint c check (a is not null or b is not null) not valid',
  },
  'domain-constraint': {
    refused: 'alter domain d add constraint c check (value > 0)',
    allowed: 'alter domain d add constraint c check (value > 0) not valid',
    squawk: 'ban-alter-domain-with-add-constraint',
  },
  'several-tables-locked': {
    refused: 'alter table t add column a int; alter table u add column a int',
    allowed: 'alter table t add column a int; alter table t add column b int',
  },
  'syntax-error': { refused: 'alter tabel t', allowed: 'alter table t add column a int', squawk: 'syntax-error' },
  'enum-value-at-once': {
    refused: "alter type e add value 'new'; update t set a = 'new' where a is null",
    allowed: "alter type e add value 'new'",
    squawk: 'require-enum-value-ordering',
  },
  'rename-enum-value': { refused: "alter type e rename value 'a' to 'b'", allowed: "alter type e add value 'b'" },
  'drop-type': { refused: 'drop type e', allowed: "create type e as enum ('a')" },
  'drop-schema': { refused: 'drop schema s', allowed: 'create schema s' },
  'drop-view': { refused: 'drop view v', allowed: 'create or replace view v as select 1' },
  'drop-function': {
    refused: 'drop function f()',
    allowed: 'create or replace function f() returns int language sql as $$ select 1 $$',
  },
  'drop-sequence': { refused: 'drop sequence s', allowed: 'create sequence s' },
  'drop-trigger': {
    refused: 'drop trigger g on t',
    allowed: 'create trigger g before insert on t for each row execute function f()',
  },
  'drop-extension': { refused: 'drop extension citext', allowed: 'create extension citext' },
  'drop-database': {
    refused: 'drop database d',
    allowed: 'create database d',
    outside: { refused: true, allowed: true },
    squawk: 'ban-drop-database',
  },
  'blocking-refresh': { refused: 'refresh materialized view v', allowed: 'refresh materialized view concurrently v' },
  rule: { refused: 'create rule r as on insert to t do instead nothing', allowed: 'create view v as select 1' },
  'update-everything': { refused: 'update t set a = 1', allowed: 'update t set a = 1 where a is null' },
  'delete-everything': { refused: 'delete from t', allowed: 'delete from t where a is null' },
  'data-behind-a-lock': {
    refused: 'alter table t add column a int; update t set a = 1 where id = 1',
    allowed: 'update t set a = 1 where id = 1',
  },
  'transaction-control': { refused: 'commit', allowed: 'select 1', squawk: 'transaction-nesting' },
  'session-setting': { refused: "set work_mem = '1GB'", allowed: "set local work_mem = '1GB'" },
  'no-lock-timeout': { refused: 'set local lock_timeout = 0', allowed: "set local lock_timeout = '10s'" },
  'replication-role': {
    refused: 'set local session_replication_role = replica',
    allowed: "set local search_path = 'public'",
  },
  'steps-outside-transaction': {
    refused: 'create table t (id int); create index concurrently i on t (id)',
    allowed: 'create table if not exists t (id int); create index concurrently if not exists i on t (id)',
    outside: { refused: true, allowed: true },
  },
  'needless-outside-transaction': {
    refused: 'alter table t add column a int',
    allowed: 'create index concurrently i on t (a)',
    outside: { refused: true, allowed: true },
  },
  'grant-to-public': { refused: 'grant select on t to public', allowed: 'grant select on t to reader' },
  'definer-without-search-path': {
    refused: 'create function f() returns int language sql security definer as $$ select 1 $$',
    allowed: 'create function f() returns int language sql security definer set search_path = public as $$ select 1 $$',
  },
  'drop-unique': {
    refused: 'alter table t drop constraint t_a_unique',
    allowed: 'alter table t drop constraint t_a_fkey',
  },
  'drop-default': {
    refused: 'alter table t alter column a drop default',
    allowed: "alter table t alter column a drop default; alter table t alter column a set default 'x'",
  },
  'drop-identity': {
    refused: 'alter table t alter column a drop identity',
    allowed: "alter table t alter column a drop identity, alter column a set default nextval('s')",
  },
  'drop-expression': {
    refused: 'alter table t alter column a drop expression',
    allowed: `${CREATE_TABLE} alter table t alter column id drop expression`,
  },
  'drop-inheritance': { refused: 'alter table t no inherit p', allowed: 'alter table t inherit p' },
  'set-access-method': {
    refused: 'alter table t set access method columnar',
    allowed: `${CREATE_TABLE} alter table t set access method columnar`,
  },
  'drop-attribute': { refused: 'alter type c drop attribute a', allowed: 'alter type c add attribute a int' },
  'domain-not-null': { refused: 'alter domain d set not null', allowed: 'alter domain d drop not null' },
  'rename-object': {
    refused: 'alter view v rename to w',
    allowed: "alter type e rename to e_old; create type e as enum ('a')",
  },
  'rename-schema': { refused: 'alter schema s rename to r', allowed: 'create schema r' },
  'alter-database': {
    refused: "alter database d set timezone to 'UTC'",
    allowed: "set local timezone to 'UTC'",
  },
  'alter-system': {
    refused: "alter system set work_mem = '1GB'",
    allowed: "set local work_mem = '1GB'",
    outside: { refused: true },
  },
  'drop-replication': { refused: 'drop publication p', allowed: 'create publication p for table t' },
  'disable-row-security': {
    refused: 'alter table t disable row level security',
    allowed: 'alter table t force row level security',
  },
  'drop-policy': {
    refused: 'drop policy p on t',
    allowed: 'drop policy p on t; create policy q on t using (a = current_user)',
  },
  revoke: {
    refused: 'revoke select on t from reader',
    allowed:
      'create function f() returns int language sql as $$ select 1 $$; revoke execute on function f() from public',
  },
  'privileged-role': { refused: 'create role r superuser', allowed: 'create role r login' },
  'alter-role': { refused: "alter user r valid until '2030-01-01'", allowed: 'create role r; alter role r login' },
  'drop-role': { refused: 'drop role r', allowed: 'create role r; drop role r' },
  'drop-owned': { refused: 'drop owned by r', allowed: 'reassign owned by r to admin' },
  'unread-code': {
    refused: 'do $$ declare s text := current_user; begin execute s; end $$',
    allowed: "do $$ begin execute 'select 1'; end $$",
  },
  'placeholder-fill': {
    refused: 'update t set a = null where a is null',
    allowed: "update t set a = '' where a is null",
  },
  setval: {
    refused: "select setval('s', 1)",
    allowed: "select setval('s', greatest((select last_value from s), (select max(id) from t)))",
  },
  'server-file': { refused: "copy t from '/tmp/rows.csv'", allowed: 'insert into t values (1)' },
};

/** What deliberately no rule refuses: it is harmless, a matter of taste, or can't be judged from the SQL alone. */
export const NOT_GUARDED: Record<string, string> = {
  'a serial key of 32 bits': 'create table t (id serial primary key)',
  'varchar with a length': 'create table t (a varchar(255))',
  'a nullable column': 'alter table t add column a text',
  'a column with a constant default': "alter table t add column a text not null default ''",
  'a default for new rows': 'alter table t alter column a set default 1',
  'a table without a primary key': 'create table t (a int)',
  'a foreign key without an index': 'alter table t add constraint f foreign key (a) references u (id) not valid',
  'a dropped check or foreign key': 'alter table t drop constraint t_a_check',
  'a renamed index or constraint': 'alter index i rename to j',
  'a comment': "comment on table t is 'people'",
  statistics: 'analyze t',
  'a delete with a where clause': 'delete from t where a < 3',
  'new rows': "insert into t values (1, 'a')",
  'a new trigger': 'create trigger g before insert on t for each row execute function f()',
  'create table if not exists': 'create table if not exists t (id int)',
  'privileges of a role': 'grant select on t to reader',
  'a new owner': 'alter table t owner to admin',
  'a view': 'create view v as select 1',
  'a domain': 'create domain d as text',
};

/** More forms of what a rule refuses. */
export const ALSO_REFUSED: [code: string, sql: string, more?: { earlier?: string; outside?: boolean }][] = [
  ['require-column', 'alter table t alter column a set not null'],
  ['require-column', 'alter table t add constraint c not null a not valid'],
  ['delete-everything', 'delete from t where true'],
  ['delete-everything', 'delete from t where 1 = 1 and not false'],
  ['delete-everything', "delete from t where 'a' = 'a' or id = 3"],
  ['delete-everything', 'delete from t where id = id'],
  ['delete-everything', 'delete from t where a is null or a is not null'],
  ['delete-everything', 'delete from t where id is not null', { earlier: 'create table t (id int primary key)' }],
  ['delete-everything', "delete from t where 't'::boolean"],
  ['delete-everything', 'delete from t where exists (select 1)'],
  ['delete-everything', 'delete from t using u where true'],
  ['delete-everything', 'with d as (delete from t returning *) select count(*) from d'],
  ['delete-everything', 'with d as (delete from t returning *) insert into u select * from d'],
  ['delete-everything', 'create table u as with d as (delete from t returning *) select * from d'],
  ['delete-everything', 'merge into t using u on true when matched then delete'],
  ['delete-everything', 'explain analyze delete from t'],
  ['delete-everything', 'prepare p as delete from t; execute p'],
  ['delete-everything', 'do language sql $$ delete from t $$'],
  ['update-everything', 'update t set a = 1 where true'],
  ['update-everything', 'with u as (update t set a = 1 returning *) select 1'],
  ['drop-table', 'do $$ begin drop table t; end $$'],
  ['drop-table', 'do $$ begin if exists (select 1 from t) then null; else drop table t; end if; end $$'],
  ['drop-table', 'do $$ begin begin null; exception when others then drop table t; end; end $$'],
  ['drop-table', "do $$ begin execute 'drop table t'; end $$"],
  ['drop-table', "do $$ declare n text := 't'; begin execute 'drop table ' || quote_ident(n); end $$"],
  ['drop-table', "do $$ declare n text := 't'; begin execute format('drop table %I', n); end $$"],
  ['drop-table', 'do $$ begin execute $q$ do $i$ begin drop table t; end $i$ $q$; end $$'],
  ['drop-table', 'create procedure p() language sql as $$ drop table t $$; call p()'],
  ['truncate', 'create function f() returns int language sql as $$ truncate t; select 1 $$; select f()'],
  ['delete-everything', 'create function f() returns int begin atomic delete from t; select 1; end; select f()'],
  [
    'truncate',
    'create function f() returns void language plpgsql as $$ begin truncate t; end $$; do $$ begin perform f(); end $$',
  ],
  [
    'truncate',
    'select g()',
    {
      earlier:
        'create function f() returns int language plpgsql as $$ begin truncate t; return 1; end $$; create function g() returns int language sql as $$ select f() $$',
    },
  ],
  ['syntax-error', 'do $$ begin drop tabel t; end $$'],
  ['syntax-error', 'create function f() returns int language sql as $$ selec 1 $$'],
  ['transaction-control', 'do $$ begin update t set a = 1 where id = 1; commit; end $$'],
  ['unread-code', 'do language plpython3u $$ plpy.execute("drop table t") $$'],
  [
    'drop-primary-key',
    'alter table t drop constraint k',
    { earlier: 'create table t (id int constraint k primary key)' },
  ],
  ['drop-unique', 'alter table t drop constraint c', { earlier: 'create table t (a int, constraint c unique (a))' }],
  ['drop-unique', 'drop index i', { earlier: 'create table t (a int); create unique index i on t (a)' }],
  [
    'drop-unique',
    'alter table t drop constraint c',
    {
      earlier:
        'create table t (a int); create unique index i on t (a); alter table t add constraint c unique using index i',
    },
  ],
  ['drop-schema', 'drop schema s cascade'],
  ['drop-cascade', 'drop schema s cascade'],
  ['drop-type', 'drop domain d'],
  ['drop-view', 'drop foreign table f'],
  ['drop-function', 'drop aggregate f(int)'],
  ['drop-trigger', 'drop event trigger e'],
  ['disable-trigger', 'alter table t enable replica trigger g'],
  ['disable-row-security', 'alter table t no force row level security'],
  ['definer-without-search-path', 'alter function f() security definer'],
  ['privileged-role', 'alter role r bypassrls'],
  ['alter-role', "alter role r set work_mem = '1GB'"],
  ['alter-role', 'alter role r rename to q'],
  ['alter-database', 'alter database d rename to e'],
  ['alter-database', 'alter database d connection limit 5'],
  ['drop-replication', 'drop subscription s'],
  ['drop-replication', 'alter publication p drop table t'],
  ['json-column', 'create schema s create table t (a json)'],
  ['revoke', 'revoke admin from reader'],
  ['grant-to-public', 'alter default privileges grant select on tables to public'],
  ['set-schema', 'alter type e set schema s'],
  ['set-tablespace', 'alter table all in tablespace a set tablespace b'],
  ['set-not-null', 'alter table t add constraint c not null a'],
  ['generated-column', 'alter table t alter column a set expression as (b + 2)'],
  ['rename-object', 'alter type c rename attribute a to b'],
  ['rename-object', 'alter function f() rename to g'],
  ['rename-object', 'alter sequence s rename to r'],
  ['setval', 'alter sequence s restart with 1'],
  ['setval', 'alter table t alter column id restart with 1'],
  ['setval', "do $$ begin perform setval('s', 1); end $$"],
  ['server-file', "copy t to program 'mail'"],
  ['placeholder-fill', 'update t set a = null::text where a is null and id > 0'],
  ['change-type', 'alter table t alter column a type varchar(5)', { earlier: 'create table t (a varchar(10))' }],
  ['change-type', 'alter table t alter column a type varchar(9)', { earlier: 'create table t (a text)' }],
  ['change-type', 'alter table t alter column a type numeric(12, 3)', { earlier: 'create table t (a numeric(10, 2))' }],
  ['change-type', 'alter table t alter column a type numeric(8, 2)', { earlier: 'create table t (a numeric(10, 2))' }],
  ['change-type', 'alter table t alter column a type timestamp', { earlier: 'create table t (a timestamptz)' }],
  ['change-type', 'alter table t alter column a type timestamptz(3)', { earlier: 'create table t (a timestamptz)' }],
  ['change-type', 'alter table t alter column a type varchar(9)[]', { earlier: 'create table t (a varchar(5)[])' }],
  ['change-type', 'alter table t alter column a type text', { earlier: 'create table t (a char(5))' }],
  ['change-type', 'alter table t alter column a type text collate "C"', { earlier: 'create table t (a varchar)' }],
  ['change-type', 'alter table t alter column a type text using lower(a)', { earlier: 'create table t (a varchar)' }],
  [
    'change-type',
    'alter table t alter column a type text',
    { earlier: "create table t (a varchar(5) check (a <> ''))" },
  ],
  [
    'set-not-null',
    'alter table t alter column a set not null',
    { earlier: 'alter table t add constraint c check (a is not null) not valid' },
  ],
  [
    'set-not-null',
    'alter table t validate constraint c; alter table t alter column a set not null',
    { earlier: 'alter table t add constraint c check (b is not null) not valid' },
  ],
  [
    'set-not-null',
    'alter table t drop constraint c; alter table t alter column a set not null',
    { earlier: 'alter table t add constraint c check (a is not null)' },
  ],
  ['volatile-default', 'alter table t add column a float default random()'],
  ['volatile-default', 'alter table t add column a timestamptz default clock_timestamp()'],
  ['volatile-default', "alter table t add column a bigint default nextval('s')"],
  ['volatile-default', 'alter table t add column a text default lower(gen_random_uuid()::text)'],
  ['volatile-default', 'alter table t add column a text default public.my_function()'],
];

/** More forms of what no rule of this code refuses. */
export const ALSO_ALLOWED: typeof ALSO_REFUSED = [
  ['delete-everything', 'delete from t where id is not null'],
  ['delete-everything', 'delete from t where exists (select 1 from u where u.id = t.id)'],
  ['delete-everything', 'delete from t where a = 1 or b = 2'],
  ['delete-everything', 'with d as (delete from t where id = 1 returning *) select * from d'],
  ['delete-everything', 'merge into t using u on t.id = u.id when matched then delete'],
  ['delete-everything', 'explain delete from t'],
  ['delete-everything', 'create function f() returns void language sql as $$ delete from t $$'],
  ['drop-table', 'create function f() returns void language plpgsql as $$ begin drop table t; end $$'],
  ['drop-table', 'do $$ begin create table t (id int); drop table t; end $$'],
  ['truncate', 'create function f() returns void language sql as $$ truncate t $$; create view v as select f()'],
  ['unread-code', 'create function f() returns void language plpgsql as $$ begin execute current_user; end $$'],
  ['syntax-error', 'create function f() returns trigger language plpgsql as $$ begin new.a := 1; return new; end $$'],
  [
    'syntax-error',
    'create procedure p() language plpgsql as $$ declare r t%rowtype; begin r.a := 1; end $$',
    { earlier: 'create table t (a int)' },
  ],
  ['transaction-control', 'do $$ begin update t set a = 1 where id = 1; end $$'],
  [
    'require-column',
    'alter table t validate constraint c; alter table t alter column a set not null; alter table t drop constraint c',
    { earlier: 'alter table t add constraint c check (a is not null) not valid' },
  ],
  ['require-column', 'create table t (a int); alter table t alter column a set not null'],
  ['drop-primary-key', 'alter table t drop constraint t_pkey, add constraint t_pkey primary key using index i'],
  [
    'drop-primary-key',
    'create unique index concurrently i on t (a); alter table t drop constraint t_pkey, add constraint t_pkey primary key using index i',
    { outside: true },
  ],
  [
    'drop-unique',
    'create unique index concurrently j on t (a); alter table t drop constraint t_a_unique',
    { earlier: 'create table t (a int, b int, constraint t_a_unique unique (a))' },
  ],
  ['drop-unique', 'drop index i', { earlier: 'create table t (a int); create index i on t (a)' }],
  ['drop-type', "alter type e rename to e_old; create type e as enum ('a'); drop type e_old"],
  ['rename-object', 'create view v as select 1; alter view v rename to w'],
  ['drop-policy', `${CREATE_TABLE} create policy p on t using (true); drop policy p on t`],
  ['definer-without-search-path', 'alter function f() security definer set search_path = public'],
  [
    'definer-without-search-path',
    'alter function f() security definer',
    {
      earlier: 'create function f() returns int language sql set search_path = public as $$ select 1 $$',
    },
  ],
  ['setval', "create table t (id serial primary key); select setval('t_id_seq', 100)"],
  ['setval', "create sequence s; select setval('s', 100)"],
  [
    'setval',
    `alter table "t" alter column "id" add generated by default as identity; select setval(pg_get_serial_sequence('"public"."t"', 'id'), coalesce((select max("id") from "t"), 0) + 1, false)`,
  ],
  [
    'drop-unique',
    'drop index i; create unique index i on t using btree (a) include (b)',
    { earlier: 'create table t (a int, b int); create unique index i on t (a)' },
  ],
  ['placeholder-fill', 'update t set a = null where a = 3'],
  ['placeholder-fill', 'update t set a = null, b = 1 where a is null'],
  ['change-type', 'alter table t alter column a type varchar(10)', { earlier: 'create table t (a varchar(5))' }],
  ['change-type', 'alter table t alter column a type varchar', { earlier: 'create table t (a varchar(5))' }],
  ['change-type', 'alter table t alter column a type text', { earlier: 'create table t (a varchar(5))' }],
  ['change-type', 'alter table t alter column a type varchar', { earlier: 'create table t (a text)' }],
  [
    'change-type',
    'alter table "t" alter "a" type text using ("a"::text)',
    { earlier: 'create table t (a varchar(5))' },
  ],
  ['change-type', 'alter table t alter column a type numeric(12, 2)', { earlier: 'create table t (a numeric(10, 2))' }],
  ['change-type', 'alter table t alter column a type numeric', { earlier: 'create table t (a numeric(10, 2))' }],
  ['change-type', 'alter table t alter column a type varbit(9)', { earlier: 'create table t (a varbit(5))' }],
  ['change-type', 'alter table t alter column a type timestamptz', { earlier: 'create table t (a timestamptz(3))' }],
  ['change-type', 'alter table t alter column a type time(6)', { earlier: 'create table t (a time(3))' }],
  ['change-type', 'alter table t alter column a type interval', { earlier: 'create table t (a interval(3))' }],
  ['change-type', 'alter table t alter column a type inet', { earlier: 'create table t (a cidr)' }],
  [
    'change-type',
    'alter table u alter column b type varchar(30)',
    {
      earlier:
        'create table t (a int); alter table t add column a2 varchar(5); alter table t alter column a2 type varchar(20); alter table t rename a2 to b; alter table t rename to u',
    },
  ],
  [
    'set-not-null',
    'alter table t alter column a set not null',
    {
      earlier: 'alter table t add constraint c check (a is not null) not valid; alter table t validate constraint c',
    },
  ],
  [
    'set-not-null',
    'alter table t validate constraint c; alter table t alter column a set not null; alter table t drop constraint c',
    { earlier: 'alter table t add constraint c check (a is not null and a > 0) not valid' },
  ],
  ['set-not-null', 'alter table t add constraint c not null a not valid'],
  ['volatile-default', 'alter table t add column a timestamptz default current_timestamp'],
  ['volatile-default', "alter table t add column a jsonb default jsonb_build_object('a', 1)"],
  ['volatile-default', "alter table t add column a timestamptz default date_trunc('day', now())"],
  ['volatile-default', "alter table t add column a timestamp default now() at time zone 'UTC'"],
  [
    'volatile-default',
    'alter table t add column a text default f()',
    { earlier: "create function f() returns text language sql immutable as $$ select 'a' $$" },
  ],
  [
    'attach-partition',
    'alter table t attach partition p for values in (1)',
    { earlier: 'alter table p add constraint c check (a = 1)' },
  ],
  ['attach-partition', 'create table p (a int); alter table t attach partition p for values in (1)'],
];

/** The kinds of statements that no rule looks at, of all that PostgreSQL's grammar has. */
export const UNGUARDED_KINDS: Record<string, string> = {
  'parts of statements': 'RawStmt SetOperationStmt ReturnStmt PLAssignStmt ReplicaIdentityStmt',
  'something new, which no code uses yet':
    'CreateTableSpaceStmt CreateExtensionStmt CreateFdwStmt CreateForeignServerStmt CreateForeignTableStmt CreateUserMappingStmt ImportForeignSchemaStmt CreatePolicyStmt CreateAmStmt CreateTrigStmt CreateEventTrigStmt CreatePLangStmt CreateSeqStmt DefineStmt CreateDomainStmt CreateOpClassStmt CreateOpFamilyStmt CreateStatsStmt CompositeTypeStmt CreateEnumStmt CreateRangeStmt ViewStmt CreateConversionStmt CreateCastStmt CreateTransformStmt CreatePublicationStmt CreateSubscriptionStmt CreatedbStmt',
  'its text says what changes: a policy, an event trigger, a publication, an extension, a foreign server':
    'AlterPolicyStmt AlterEventTrigStmt AlterSubscriptionStmt AlterExtensionStmt AlterExtensionContentsStmt AlterFdwStmt AlterForeignServerStmt AlterUserMappingStmt DropUserMappingStmt AlterOpFamilyStmt AlterOperatorStmt AlterTypeStmt AlterCollationStmt AlterDatabaseRefreshCollStmt AlterTSDictionaryStmt AlterTSConfigurationStmt',
  'a new owner': 'AlterOwnerStmt ReassignOwnedStmt',
  'descriptions and statistics': 'CommentStmt SecLabelStmt AlterStatsStmt AlterObjectDependsStmt',
  'settings of a tablespace; PostgreSQL refuses to drop one that is not empty':
    'AlterTableSpaceOptionsStmt DropTableSpaceStmt',
  'the session only, and gone with it':
    'VariableShowStmt DeclareCursorStmt ClosePortalStmt FetchStmt NotifyStmt ListenStmt UnlistenStmt LoadStmt CheckPointStmt DiscardStmt ConstraintsSetStmt DeallocateStmt',
};
