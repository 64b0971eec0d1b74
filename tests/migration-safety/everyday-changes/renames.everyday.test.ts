import { p } from '@mikro-orm/core';
import { expect, test, vi } from 'vitest';
import { BLOG_ROWS, blog, table } from './blog.ts';
import { type Change, holds } from './change.ts';
import {
  articles,
  check,
  computed,
  counted,
  index,
  partial,
  policy,
  READS,
  renamed,
  trigger,
  unique,
  withCounter,
} from './naming.ts';

vi.setConfig({ testTimeout: 240_000 });

const TITLE = { renames: 'articles.title=headline', assures: ['rename-column'] };

const CHANGES: Record<string, Change> = {
  'renames a column': {
    ...TITLE,
    to: articles(renamed),
    afterwards: async (application) =>
      expect(await application.query("select 1 from articles where headline = 'Two'")).toHaveLength(1),
  },
  'renames a column and makes it longer': {
    ...TITLE,
    to: articles({ title: null, headline: p.string().length(80) }),
    assures: ['rename-column', 'change-type'],
  },
  'renames a column and requires it': {
    to: articles({ slug: null, path: p.string() }),
    andRows: ["update articles set slug = 'two' where slug is null"],
    renames: 'articles.slug=path',
  },
  'renames a column of an index': {
    ...TITLE,
    from: articles({}, index('title')),
    to: articles(renamed, index('headline')),
  },
  'renames a column of the predicate of an index': {
    ...TITLE,
    from: articles({}, partial('title')),
    to: articles(renamed, partial('headline')),
  },
  'renames a column of a check': {
    ...TITLE,
    from: articles({}, check('title')),
    to: articles(renamed, check('headline')),
  },
  'renames a column of a unique constraint': {
    ...TITLE,
    from: articles({}, unique('title')),
    to: articles(renamed, unique('headline')),
  },
  'renames a column of a trigger': {
    ...TITLE,
    from: articles({}, trigger('title')),
    to: articles(renamed, trigger('headline')),
  },
  'renames a column of a policy': {
    ...TITLE,
    from: articles({}, policy('title')),
    to: articles(renamed, policy('headline')),
  },
  'renames a column of a computed column': {
    ...TITLE,
    from: articles(computed('title')),
    to: articles({ ...renamed, ...computed('headline') }),
  },
  'renames a counter with the body of the trigger that updates it': {
    from: withCounter,
    to: counted('reads'),
    rows: READS,
    renames: 'articles.read_count=reads',
    loses: ['articles.read_count', 'articles.reads', 'reads'],
    afterwards: async (application) => {
      await application.query('insert into reads (article_id) values (1)');
      expect(await application.query('select reads from articles where id = 1')).toEqual([{ reads: 4 }]);
    },
  },
  'renames a table that has its own type of key and enum': {
    from: () => things('things'),
    to: () => things('items'),
    rows: [...BLOG_ROWS, "insert into things (state) values ('new'), ('old')"],
    renames: 'things=items',
    assures: ['rename-table'],
    afterwards: async (application) => {
      const [item] = await application.query("insert into items (state) values ('old') returning id");
      expect(item?.id).toBeGreaterThan(2);
      await application.query(`delete from items where id = ${item?.id}`);
    },
  },
  'drops a column, as it is said': {
    to: articles(renamed),
    renames: 'articles.title=',
    rows: ['select 1'],
    fill: "''",
    assures: ['drop-column'],
  },
};

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));

function things(tableName: string) {
  return blog({
    others: () => [
      table('Thing', tableName, {
        properties: { id: p.integer().primary(), state: p.enum(['new', 'old']).nativeEnumName('thing_state') },
      }),
    ],
  });
}
