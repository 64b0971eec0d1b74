/**
 * For each rule, SQL that it refuses and similar SQL that it allows. `outside` marks the SQL that runs outside a
 * transaction. `squawk` is the rule of squawk-cli that also refuses `refused`.
 */
export interface Example {
  refused: string;
  allowed: string;
  outside?: { refused?: boolean; allowed?: boolean };
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
    refused: 'create index concurrently i on t (a)',
    allowed: 'create index concurrently i on t (a)',
    outside: { allowed: true },
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
  },
  'nameless-constraint': {
    refused: 'alter table t add check (a > 0) not valid',
    allowed: 'alter table t add constraint c check (a > 0) not valid',
  },
  'drop-primary-key': {
    refused: 'alter table t drop constraint t_pkey',
    allowed: 'alter table t drop constraint t_a_check',
  },
  'domain-constraint': {
    refused: 'alter domain d add constraint c check (value > 0)',
    allowed: 'alter domain d add constraint c check (value > 0) not valid',
  },
  'several-tables-locked': {
    refused: 'alter table t add column a int; alter table u add column a int',
    allowed: 'alter table t add column a int; alter table t add column b int',
  },
  'syntax-error': { refused: 'alter tabel t', allowed: 'alter table t add column a int' },
  'enum-value-at-once': {
    refused: "alter type e add value 'new'; update t set a = 'new' where a is null",
    allowed: "alter type e add value 'new'",
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
};

/** What deliberately no rule refuses: it is harmless, a matter of taste, or can't be judged from the SQL alone. */
export const NOT_GUARDED: Record<string, string> = {
  'a serial key of 32 bits': 'create table t (id serial primary key)',
  'varchar with a length': 'create table t (a varchar(255))',
  'a nullable column': 'alter table t add column a text',
  'a column with a constant default': "alter table t add column a text not null default ''",
  'a default for new rows': 'alter table t alter column a set default 1',
  'a dropped default': 'alter table t alter column a drop default',
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
