import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readCatalog } from '../../src/migration-safety/catalog/catalog.ts';
import { toDrafts } from '../../src/migration-safety/plan/order.ts';
import { planOperations } from '../../src/migration-safety/plan/plan.ts';
import { insertSampleRows } from '../../src/migration-safety/shadow/sample-rows.ts';
import { tryRoundTrip } from '../../src/migration-safety/verify/round-trip.ts';
import { DATABASES, empty, type ModelDatabase } from './models/database.ts';

vi.setConfig({ testTimeout: 60_000 });

const TRACKING = 'mikro_orm_migrations';

let database: ModelDatabase;
beforeAll(async () => {
  database = await DATABASES['on a server']();
});
afterAll(() => database.close());

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

const ARTICLES = 'create table articles (id int not null, slug text, body text)';

test.each(Object.entries(REPLACED))('queries by slug have an index at any time: %s', async (_, [before, after]) => {
  const drafts = await draftsBetween(`${ARTICLES}; ${before}`, `${ARTICLES}; ${after}`);
  const steps = [...drafts.flatMap(({ up }) => up), ...[...drafts].reverse().flatMap(({ down }) => down)];
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

/** What is wrong with a round trip between two schemas, as lines. */
async function faultsBetween(before: string, after: string): Promise<string[]> {
  const expected = await catalogOf(after);
  const drafts = await draftsBetween(before, after);
  await insertSampleRows(database.execute, TRACKING);
  const run = async (statements: string[]) => {
    for (const sql of statements) await database.execute(sql);
  };
  const steps = drafts.map(({ up, down }) => ({ up: () => run(up), down: () => run(down) }));
  const found = await tryRoundTrip(steps, { execute: database.execute, trackingTable: TRACKING, expected });
  return found ? [found.says, ...found.details, ...drafts.flatMap(({ up, down }) => [...up, ...down])] : [];
}

/** The migrations between two schemas. The database is that of before. */
async function draftsBetween(before: string, after: string) {
  const entities = await catalogOf(after);
  return toDrafts(planOperations(await catalogOf(before), entities).operations);
}

async function catalogOf(script: string) {
  await empty(database);
  await database.run(script);
  return readCatalog(database.execute, TRACKING);
}
