import { p } from '@mikro-orm/core';
import { expect, test, vi } from 'vitest';
import { blog } from './blog.ts';
import { type Change, isRefused, type Refusal } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

const articles =
  (properties: Record<string, unknown>, changes = {}) =>
  () =>
    blog({ articles: { properties, ...changes } });

/** Columns of these types, by their names. */
const columns = (types: Record<string, string>) =>
  articles(
    Object.fromEntries(Object.entries(types).map(([name, type]) => [name, p.text().columnType(type).nullable()])),
  );
const state = (...values: string[]) => p.enum(values).default(values[0] as string);
const nativeState = (...values: string[]) => state(...values).nativeEnumName('state');

/** What each row stands for, in any order: a part of the message per column. */
const names = (...parts: string[]) => new RegExp(parts.map((part) => `(?=[\\s\\S]*${part})`).join(''));

/** The application that runs still updates the rows of before. */
const updatesGoOn: Change['afterwards'] = async (application) => {
  await application.query('update articles set body = body || $$!$$');
  expect(await application.query("select 1 from articles where body like '%!'")).toHaveLength(3);
};

const REFUSALS: Record<string, Omit<Refusal, 'by'>> = {
  'types that would cut, round or shift values of the blog': {
    to: articles({
      title: p.string().length(5),
      body: p.string().length(3),
      price: p.integer().default(0),
      publishedAt: p.datetime().columnType('date').nullable(),
    }),
    message: names(
      '1 row loses a value: "title" \\(character varying\\(50\\)\\) does not keep its value as varchar\\(5\\)',
      '1 row loses a value: "body" \\(text\\)',
      '2 rows lose a value: "price" \\(numeric\\(10,2\\)\\) does not keep its value as int',
      '2 rows lose a value: "published_at" loses its time zone',
    ),
  },
  'types that would cut, round or shift values of any other kind': {
    from: columns({
      zoned: 'timestamptz',
      precise: 'timestamp',
      repeated: 'json',
      exact: 'numeric(10,2)',
      scale: 'numeric(10,2)',
      wide: 'double precision',
      moments: 'timestamptz[]',
      bits: 'varbit',
      span: 'interval',
    }),
    andRows: [
      `update articles set zoned = '2024-02-29 23:30+00', precise = '2024-02-29 23:30:00.5', repeated = '{"a": 1, "a": 2}',
        exact = 0.1, scale = 1.25, wide = 0.1, moments = '{2024-02-29 23:30+00}', bits = B'10101', span = '1 hour 1.5 seconds'
        where id = 2`,
    ],
    to: columns({
      zoned: 'timestamp',
      precise: 'timestamp(0)',
      repeated: 'jsonb',
      exact: 'real',
      scale: 'numeric(10,1)',
      wide: 'real',
      moments: 'timestamp[]',
      bits: 'bit(3)',
      span: 'interval(0)',
    }),
    message: names('"zoned"', '"precise"', '"repeated"', '"scale"', '"wide"', '"moments"', '"bits"', '"span"'),
  },
  'types that some values do not have': {
    from: columns({ digits: 'text', large: 'bigint', list: 'bigint[]', day: 'text', document: 'text', flag: 'text' }),
    andRows: [
      "update articles set digits = '1', large = 1, list = '{1}', day = '2024-02-29', document = '{}', flag = 'yes'",
      `update articles set digits = 'one', large = 2147483648, list = '{1,2147483648}', day = '2023-02-29', document = '{', flag = '?'
        where id = 3`,
    ],
    to: columns({ digits: 'int', large: 'int', list: 'int[]', day: 'date', document: 'jsonb', flag: 'boolean' }),
    message: names(
      ...['digits', 'large', 'list', 'day', 'document', 'flag'].map((column) => `1 row loses a value: "${column}"`),
    ),
  },
  'the removal of a value of a native enum that is in use': {
    from: articles({ state: nativeState('draft', 'published', 'archived') }),
    andRows: ["update articles set state = 'archived' where id = 1"],
    to: articles({ state: nativeState('draft', 'published') }),
    message: /1 row[\s\S]*state/,
  },
  'the removal of a value of a checked enum that is in use': {
    from: articles({ state: state('draft', 'published', 'archived') }),
    andRows: ["update articles set state = 'archived' where id = 1"],
    to: articles({ state: state('draft', 'published') }),
    message: /1 violating row[\s\S]*state/,
  },
  'to require a column that has nulls': {
    to: articles({ slug: p.string() }),
    message: /1 violating row[\s\S]*"slug"/,
  },
  'a check, a unique column and a reference that rows violate': {
    to: () =>
      blog({
        articles: (of) => ({
          checks: [{ name: 'articles_read', expression: 'read_count > 0' }],
          uniques: [{ name: 'articles_author', properties: ['author'] }],
          properties: { editor: () => p.manyToOne(of.Author).nullable() },
        }),
      }),
    from: articles({ editor: p.integer().fieldName('editor_id').nullable() }),
    andRows: ['update articles set editor_id = 7 where id = 3'],
    message: names(
      '1 violating row: .*read_count',
      '2 violating rows: .*author_id',
      '1 violating row: they refer to rows of "authors" that do not exist',
    ),
  },
};

for (const [change, what] of Object.entries(REFUSALS))
  test(`refuses ${change}`, () => isRefused({ ...what, by: 'migration:up', afterwards: updatesGoOn }));
