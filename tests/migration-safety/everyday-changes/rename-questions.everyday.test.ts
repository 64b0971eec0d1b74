import { p } from '@mikro-orm/core';
import { test, vi } from 'vitest';
import { blog } from './blog.ts';
import { isRefused, type Refusal } from './change.ts';
import { articles, check, counted, index, READS, renamed, withCounter } from './naming.ts';

vi.setConfig({ testTimeout: 240_000 });

const REFUSALS: Record<string, Refusal> = {
  'a column that may be renamed or dropped': {
    to: articles(renamed),
    by: 'migration:create',
    message: /articles\.title=headline/,
  },
  'a renamed column of an index whose name stays, until it is said': {
    from: articles({}, index('title')),
    to: articles(renamed, index('headline')),
    by: 'migration:create',
    message: /articles\.title=headline/,
  },
  'a renamed column of a check whose name stays, until it is said': {
    from: articles({}, check('title')),
    to: articles(renamed, check('headline')),
    by: 'migration:create',
    message: /articles\.title=headline/,
  },
  'two columns that swap their names': {
    to: () =>
      blog({ articles: { properties: { title: null, body: null, text: p.string().length(50), headline: p.text() } } }),
    by: 'migration:create',
    message: /articles\.(title|body)/,
  },
  'a table that may be renamed or dropped': {
    to: () => blog({ articles: { tableName: 'posts' } }),
    by: 'migration:create',
    message: /articles=posts/,
  },
  'two tables that swap their names': {
    to: () => blog({ authors: { tableName: 'articles' }, articles: { tableName: 'authors' } }),
    by: 'migration:create',
    message: /articles\.|authors\./,
  },
  'a renamed counter whose trigger still names the old column': {
    from: withCounter,
    to: counted('reads', 'read_count'),
    rows: READS,
    renames: 'articles.read_count=reads',
    by: 'migration:create',
    message: /reads_count_up_fn/,
    afterwards: async (application) => {
      await application.query('insert into reads (article_id) values (1)');
    },
  },
};

for (const [change, what] of Object.entries(REFUSALS)) test(`refuses ${change}`, () => isRefused(what));
