import { MikroORM, PostgreSqlDriver } from '@mikro-orm/postgresql';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATABASES, type ModelDatabase } from './models/database.ts';
import { toEntities } from './models/entities.ts';
import { faultsOf } from './models/migrate.ts';
import type { Table } from './models/model.ts';
import { randomPair } from './models/random-pair.ts';

// The short form tries 300 pairs, half of them in memory, half on a server, and 100 of them as plain statements too: the same in
// every run, so that a failure is the work of a change. The long form tries as many as it says on both; this one takes hours:
//   MODEL_PAIRS=5000 npx vitest run --mode migrations tests/migration-safety/random-models.migrations.test.ts
// A failure prints its seed and path. MODEL_SEED and MODEL_PATH run that pair alone, and then look for a smaller one.
const SEEDS = { 'in memory': 1, 'on a server': 2 };
const { MODEL_PAIRS: pairs, MODEL_PATH: path, MODEL_SEED: seed } = process.env;
const TWO_HOURS = 7_200_000;

/** A table as a model has it. */
const table = (schema: string, name: string, more: Partial<Table> = {}): Table => ({
  schema,
  name,
  columns: [
    { name: 'id', type: 'int' },
    { name: 'slug', type: 'text' },
  ],
  references: [],
  key: ['id'],
  indexes: [],
  checks: [],
  triggers: [],
  policies: [],
  ...more,
});

const withIdentity: Partial<Table> = {
  columns: [
    { name: 'id', type: 'int', identity: 'always' },
    { name: 'slug', type: 'text' },
  ],
};

describe.each(Object.entries(DATABASES))('%s', (name, open) => {
  let database: ModelDatabase;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  test.each([
    ['which another table loses', []],
    ['which another table keeps', [{ columns: ['slug'], name: 'by_slug' }]],
  ])('a table moves into a schema with an index that has the name of one of its own, %s', async (_, kept) => {
    const bySlug = [{ columns: ['slug'], name: 'by_slug' }];
    const name = kept.length > 0 ? 'by_slug_of_articles' : 'by_slug';
    const before = [table('public', 'articles', { indexes: bySlug }), table('blog', 'tags', { indexes: bySlug })];
    const after = [
      table('blog', 'articles', { indexes: [{ columns: ['slug'], name }] }),
      table('blog', 'tags', { indexes: kept }),
    ];
    const model = (tables: Table[]) => ({ tables, views: [], enums: {} });
    const pair = { before: model(before), after: model(after), changes: [], byHand: [], withRows: true };
    expect(await faultsOf({ ...pair, renames: 'articles=blog.articles' }, database)).toEqual([]);
  });

  test.each([
    ['an index', table('blog', 'tags', { indexes: [{ columns: ['slug'], name: 'articles_id_seq' }] }), ''],
    ['a sequence of the same kind', table('blog', 'articles', withIdentity), ',blog.articles='],
  ])('a table with an identity column moves where %s has the name of its sequence', async (_, other, more) => {
    const model = (tables: Table[]) => ({ tables, views: [], enums: {} });
    const before = model([table('public', 'articles', withIdentity), other]);
    const after = model([table('blog', 'texts', withIdentity), ...(more ? [] : [other])]);
    const pair = { before, after, changes: [], byHand: [], withRows: true };
    expect(await faultsOf({ ...pair, renames: `articles=blog.texts${more}` }, database)).toEqual([]);
  });

  test.each([
    ['in the new schema, has its old name', table('blog', 'articles'), 'blog.articles'],
    ['in the old schema, has its new name', table('public', 'texts'), 'texts'],
  ])('a table gets another name and schema, while one is dropped that, %s', async (_, dropped, name) => {
    const model = (tables: Table[]) => ({ tables, views: [], enums: {} });
    const before = model([table('public', 'articles'), dropped]);
    const pair = { before, after: model([table('blog', 'texts')]), changes: [], byHand: [], withRows: true };
    expect(await faultsOf({ ...pair, renames: `articles=blog.texts,${name}=` }, database)).toEqual([]);
  });

  test('each table is made once where optional references form cycles, although MikroORM repeats one', async () => {
    const to = (name: string, nullable: boolean) => [{ columns: [`${name}_id`], to: `public.${name}`, nullable }];
    const tables = [
      table('public', 'articles', { references: to('comments', true) }),
      table('public', 'users', { references: to('comments', true) }),
      table('public', 'comments', { references: [...to('users', false), ...to('articles', false)] }),
    ];
    const before = { tables, views: [], enums: {} };
    const orm = new MikroORM({ driver: PostgreSqlDriver, dbName: 'not connected', entities: toEntities(before) });
    expect((await orm.schema.getCreateSchemaSQL()).match(/create table "comments"/g)).toHaveLength(2);
    const pair = { before, after: { ...before, tables: [...tables, table('public', 'tags')] } };
    const same = { changes: [], byHand: [], renames: '', withRows: false };
    expect(await faultsOf({ ...pair, ...same }, database)).toEqual([]);
  });

  test.each([
    ['', false, 150],
    [', also as plain statements in one transaction', true, 50],
  ])(
    'what create plans between two models runs up, down and up again, and is all there is to do%s',
    async (_, naive, runs) => {
      const property = fc.asyncProperty(randomPair, async (pair) => {
        expect(await faultsOf(pair, database, naive)).toEqual([]);
      });
      await fc.assert(property, {
        numRuns: Number(pairs ?? runs),
        ...(seed || !pairs ? { seed: Number(seed ?? SEEDS[name as keyof typeof SEEDS]) } : {}),
        endOnFailure: !path,
        ...(path ? { path } : {}),
      });
    },
    TWO_HOURS,
  );
});
