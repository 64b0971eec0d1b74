import { p } from '@mikro-orm/core';
import { test, vi } from 'vitest';
import { blog } from './blog.ts';
import { type Change, holds, isRefused, type Refusal } from './change.ts';

vi.setConfig({ testTimeout: 120_000 });

const withSummary = () => blog({ articles: { properties: { summary: p.text().nullable() } } });

/** What a migration made by hand, and how its down removes it. */
const BY_HAND: Record<string, { up: string[]; down: string[] }> = {
  'a trigger with its function': {
    up: [
      'create function trim_title() returns trigger language plpgsql as $$ begin new.title = trim(new.title); return new; end $$',
      'create trigger trim_title before insert on articles for each row execute function trim_title()',
    ],
    down: ['drop trigger trim_title on articles', 'drop function trim_title()'],
  },
  'a view': {
    up: ['create view titles as select id, title from articles where read_count > 0'],
    down: ['drop view titles'],
  },
  'a materialized view with an index': {
    up: [
      'create materialized view totals as select author_id, count(*) as n from articles group by 1',
      'create unique index totals_key on totals (author_id)',
    ],
    down: ['drop materialized view totals'],
  },
  'a check': {
    up: [
      "alter table articles add constraint articles_title_given check (title <> '') not valid",
      'alter table articles validate constraint articles_title_given',
    ],
    down: ['alter table articles drop constraint articles_title_given'],
  },
  'an index': { up: ['create index articles_lower on articles (lower(title))'], down: ['drop index articles_lower'] },
  'an index for some rows': {
    up: ['create index articles_read on articles (author_id) where read_count > 0'],
    down: ['drop index articles_read'],
  },
  'a policy with row security': {
    up: [
      'create policy readers on articles for select using (read_count >= 0)',
      'alter table articles enable row level security',
    ],
    down: ['alter table articles disable row level security', 'drop policy readers on articles'],
  },
  'a sequence': { up: ['create sequence invoices start 1000'], down: ['drop sequence invoices'] },
  'a function': {
    up: ["create function greet(name text) returns text language sql immutable as $$ select 'Hi ' || name $$"],
    down: ['drop function greet(text)'],
  },
  'a table': {
    up: ['create table audit (at timestamptz not null default now(), what text, article int references articles (id))'],
    down: ['drop table audit'],
  },
  'a schema with a table': {
    up: ['create schema stats', 'create table stats.days (day date primary key, reads int)'],
    down: ['drop schema stats cascade'],
  },
  'a type and a domain': {
    up: ["create type mood as enum ('good', 'bad')", "create domain slug as text check (value ~ '^[a-z-]+$')"],
    down: ['drop domain slug', 'drop type mood'],
  },
  'a comment': {
    up: ["comment on column articles.title is 'As the author wrote it'"],
    down: ['comment on column articles.title is null'],
  },
  'a column': {
    up: ['alter table articles add search tsvector', 'create index articles_search on articles using gin (search)'],
    down: ['drop index articles_search', 'alter table articles drop column search'],
  },
  'an exclusion constraint': {
    up: [
      "alter table articles add constraint no_overlap exclude using gist (tstzrange(published_at, published_at, '[]') with &&) where (read_count > 2)",
    ],
    down: ['alter table articles drop constraint no_overlap'],
  },
};

for (const [what, byHand] of Object.entries(BY_HAND)) {
  test(`adding a column leaves ${what} that was made by hand`, () => holds({ to: withSummary, byHand }));
}

const renamed = () => blog({ articles: { properties: { title: null, headline: p.string().length(50) } } });
const RENAME = { renames: 'articles.title=headline' };

const CHANGES: Record<string, Change> = {
  'changing the type of a column makes a view by hand again that reads it': {
    to: () => blog({ articles: { properties: { title: p.text() } } }),
    byHand: BY_HAND['a view'] as never,
    assures: ['change-type', 'drop-view'],
  },
};

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));

const REFUSALS: Record<string, Refusal> = {
  'to rename a column that a function made by hand names': {
    to: renamed,
    ...RENAME,
    byHand: BY_HAND['a trigger with its function'] as never,
    by: 'migration:create',
    message: /trim_title/,
  },
  'to drop a column that a view made by hand reads': {
    to: () => blog({ articles: { properties: { title: null } } }),
    byHand: BY_HAND['a view'] as never,
    by: 'migration:create',
    message: /titles/,
  },
  'to drop a table that a table made by hand refers to': {
    to: () => blog({ articles: null }),
    byHand: BY_HAND['a table'] as never,
    by: 'migration:create',
    message: /audit/,
  },
};

for (const [change, what] of Object.entries(REFUSALS)) test(`refuses ${change}`, () => isRefused(what));
