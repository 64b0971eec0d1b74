import { p } from '@mikro-orm/core';
import { expect, test, vi } from 'vitest';
import { blog, table } from './blog.ts';
import { type Change, holds } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

const articles = (properties: Record<string, unknown>) => () => blog({ articles: { properties } });
const column = (type: string) => p.text().columnType(type).nullable();
const valued = (type: string, value: string): Pick<Change, 'from' | 'andRows'> => ({
  from: articles({ value: column(type) }),
  andRows: [`update articles set value = ${value} where id = 1`],
});
const to = (type: string): Pick<Change, 'to' | 'assures'> => ({
  to: articles({ value: column(type) }),
  assures: ['change-type'],
});
const enumOf = (values: string[], name = 'state') =>
  p
    .enum(values)
    .nativeEnumName(name)
    .default(values[0] as string);
const checked = (...values: string[]) => p.enum(values).default(values[0] as string);
const withState = articles({ state: enumOf(['draft', 'published', 'archived']) });

const CHANGES: Record<string, Change> = {
  'widens varchar': { to: articles({ title: p.string().length(100) }), assures: ['change-type'] },
  'changes varchar to text': { to: articles({ title: p.text() }), assures: ['change-type'] },
  'widens numeric': {
    to: articles({ price: p.decimal().precision(12).scale(2).default('0') }),
    assures: ['change-type'],
  },
  'changes int to bigint': { to: articles({ readCount: p.bigint().default(0) }), assures: ['change-type'] },
  'narrows varchar where all values fit': { to: articles({ title: p.string().length(40) }), assures: ['change-type'] },
  'changes text to varchar where all values fit': {
    to: articles({ body: p.string().length(20) }),
    assures: ['change-type'],
  },
  'changes text to int where all values are numbers': { ...valued('text', "'12'"), ...to('int') },
  'changes json to jsonb': { ...valued('json', `'{"b": [1, 2], "a": null}'`), ...to('jsonb') },
  'changes int[] to bigint[]': { ...valued('int[]', "'{1,null,2147483647}'"), ...to('bigint[]') },
  'changes timestamptz to timestamp without values': {
    from: articles({ value: column('timestamptz') }),
    ...to('timestamp'),
  },
  'changes the precision of timestamps that have no more': {
    ...valued('timestamptz', "'2024-02-29 12:00:00.123+00'"),
    ...to('timestamptz(3)'),
  },
  'changes a type with its default, index and check': {
    from: articles({ value: p.string().length(10).default('1').index().check("value <> ''") }),
    to: articles({ value: p.integer().default(1).index().check('value <> 0') }),
    assures: ['change-type'],
  },
  'makes serial keys bigint, with their sequences and the columns that refer to them': {
    to: () =>
      blog({
        authors: { properties: { id: p.bigint().primary() } },
        articles: { properties: { id: p.bigint().primary() } },
      }),
    assures: ['change-type'],
    afterwards: async (application) => {
      await application.query("select setval('articles_id_seq', 3000000000)");
      const insert = "insert into articles (title, body, author_id) values ('Last', '', 1) returning id";
      expect(await application.query(insert)).toEqual([{ id: '3000000001' }]);
      await application.query('delete from articles where id > 3000000000');
      await application.query("select setval('articles_id_seq', 3)");
    },
  },
  'adds columns of enums, native and checked': {
    to: articles({ state: enumOf(['draft', 'published']), size: checked('small', 'large') }),
  },
  'adds and removes values of a checked enum': {
    from: articles({ size: checked('small', 'large', 'huge') }),
    to: articles({ size: checked('small', 'medium', 'large') }),
  },
  'makes a checked enum a native one, and a native one a checked one': {
    from: articles({ size: checked('small', 'large'), state: enumOf(['draft', 'published']) }),
    to: articles({
      size: checked('small', 'large').nativeEnumName('size'),
      state: p.enum(['draft', 'published']).default('draft'),
    }),
    andRows: ["update articles set size = 'large', state = 'published' where id = 2"],
    assures: ['change-type', 'drop-type'],
  },
  'adds a column of a native enum': { to: withState },
  'drops a column of a native enum': {
    from: withState,
    to: () => blog(),
    assures: ['drop-column', 'drop-type'],
    loses: ['articles.state'],
  },
  'drops an entity with its native enum': {
    from: () => visits(),
    to: () => blog(),
    assures: ['drop-table', 'drop-type'],
    loses: ['visits'],
  },
  'adds a value to a native enum': {
    from: withState,
    to: articles({ state: enumOf(['draft', 'reviewed', 'published', 'archived']) }),
  },
  'adds a value to a native enum and makes it the default': {
    from: withState,
    to: articles({ state: enumOf(['new', 'draft', 'published', 'archived']) }),
  },
  'removes an unused value of a native enum': {
    from: withState,
    to: articles({ state: enumOf(['draft', 'published']) }),
    andRows: ["update articles set state = 'published' where id = 1"],
    assures: ['change-type', 'drop-type'],
  },
  'changes native enums while columns and policies that use them are dropped and added': {
    from: withStates('draft', 'published', 'archived'),
    to: () =>
      blog({
        articles: {
          properties: {
            state: enumOf(['draft', 'reviewed', 'published', 'archived']),
            next: enumOf(['a', 'c'], 'step'),
          },
          policies: [{ name: 'read', command: 'select', using: "state = 'published'" }],
        },
      }),
    assures: ['change-type', 'drop-type', 'drop-column', 'drop-policy'],
    loses: ['articles.before', 'articles.step'],
  },
  'removes a value of a native enum with a column of it': {
    from: articles({
      state: enumOf(['draft', 'published', 'archived']),
      next: enumOf(['draft', 'published', 'archived']),
    }),
    to: articles({ state: enumOf(['draft', 'published']) }),
    assures: ['change-type', 'drop-type', 'drop-column'],
    loses: ['articles.next'],
  },
  'changes the order of the values of a native enum': {
    from: withState,
    to: articles({ state: enumOf(['draft', 'archived', 'published']) }),
    assures: ['change-type', 'drop-type'],
  },
  'renames a native enum': {
    from: withState,
    to: articles({ state: enumOf(['draft', 'published', 'archived'], 'article_state') }),
    assures: ['change-type', 'drop-type'],
  },
};

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));

function withStates(...values: string[]) {
  return () =>
    blog({
      articles: {
        properties: {
          state: enumOf(values),
          before: enumOf(values),
          step: enumOf(['a', 'b', 'c'], 'step'),
          next: enumOf(['a', 'b', 'c'], 'step'),
        },
        policies: [{ name: 'open', command: 'select', using: "state <> 'draft' and before = 'draft'" }],
      },
    });
}

function visits() {
  return blog({
    others: () => [
      table('Visit', 'visits', {
        properties: { id: p.integer().primary(), device: p.enum(['phone', 'desktop']).nativeEnumName('device') },
      }),
    ],
  });
}
