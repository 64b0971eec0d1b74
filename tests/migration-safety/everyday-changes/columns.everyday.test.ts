import { p } from '@mikro-orm/core';
import { expect, test, vi } from 'vitest';
import { blog } from './blog.ts';
import { type Change, holds } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

const articles = (properties: Record<string, unknown>) => () => blog({ articles: { properties } });
const withComments = () =>
  blog({
    articles: { comment: 'What authors write', properties: { slug: p.string().nullable().comment('In the URL') } },
  });
const withIndexedSlug = articles({ slug: p.string().nullable().index() });

const withComputed = articles({
  length: p.integer().generated('(length(title)) stored').nullable(),
  shout: p.text().generated('(upper(title)) stored').nullable().index().comment('Loud'),
  kept: p.text().generated("(coalesce(slug, 'none')) stored"),
});

const CHANGES: Record<string, Change> = {
  'adds a column with a comment': {
    to: articles({ summary: p.text().nullable().comment('At most "two" lines; it\'s short') }),
  },
  'comments a table and a column': { to: withComments },
  'changes comments': {
    from: withComments,
    to: () =>
      blog({
        articles: { comment: "It's changed", properties: { slug: p.string().nullable().comment('Part of the URL') } },
      }),
  },
  'removes comments': { from: withComments, to: () => blog() },
  'adds a column that is required, with a default': {
    to: articles({ language: p.string().length(2).default('en') }),
    afterwards: async (application) =>
      expect(await application.query('select distinct language from articles')).toEqual([{ language: 'en' }]),
  },
  'adds a column that is required, without a default': {
    to: articles({ language: p.string().length(2) }),
    fill: "'en'",
  },
  'adds columns whose defaults have quotes, braces and semicolons': {
    to: articles({
      settings: p.json().columnType('jsonb').defaultRaw(`'{"a":{"b":[1,2]}}'`),
      labels: p.string().columnType('text[]').defaultRaw(`'{a,"b,c"}'`),
      note: p.text().defaultRaw(`'it''s; a "note" -- of $$ 1'`),
      path: p.text().defaultRaw(String.raw`'C:\temp'`),
    }),
  },
  'changes a default into one with quotes and braces': {
    to: articles({ slug: p.string().nullable().defaultRaw(`'it''s {"a":[1]}'`), readCount: p.integer().default(7) }),
  },
  'removes a default': { to: articles({ readCount: p.integer() }) },
  'changes a default into an expression': {
    to: articles({
      publishedAt: p.datetime().columnType('timestamptz').nullable().defaultRaw(`now() - interval '1 day 02:00'`),
    }),
  },
  'adds computed columns': { to: withComputed, assures: ['generated-column'] },
  'changes and drops computed columns, and makes one a plain column': {
    from: withComputed,
    to: articles({
      length: p.integer().generated('(length(body)) stored').nullable(),
      shout: p.text().nullable().index().comment('Loud'),
    }),
    assures: ['drop-column', 'drop-expression', 'generated-column'],
    loses: ['articles.kept', 'articles.length'],
  },
  'makes a plain column a computed one': {
    to: articles({ readCount: p.integer().generated('(length(title)) stored') }),
    assures: ['drop-column', 'generated-column'],
    loses: ['articles.read_count'],
  },
  'requires a column and no longer requires another': {
    to: articles({ slug: p.string(), body: p.text().nullable() }),
    andRows: ["update articles set slug = 'two' where slug is null"],
  },
  'adds columns whose defaults are the time and an expression': {
    to: articles({
      createdAt: p.datetime().defaultRaw('now()'),
      code: p.uuid().defaultRaw('gen_random_uuid()'),
      until: p.datetime().defaultRaw("now() + interval '1 month'"),
    }),
    assures: ['volatile-default'],
  },
  'drops a column': { to: articles({ slug: null }), assures: ['drop-column'], loses: ['articles.slug'] },
  'drops a column that has an index': {
    from: withIndexedSlug,
    to: articles({ slug: null }),
    assures: ['drop-column'],
    loses: ['articles.slug'],
  },
  'drops a column that is unique': {
    to: () => blog({ authors: { properties: { email: null } } }),
    // Its down makes a column that is empty again.
    rows: ['select 1'],
    assures: ['drop-column', 'drop-unique'],
  },
  'drops a column that is required': {
    to: articles({ body: null }),
    rows: ['select 1'],
    assures: ['drop-column'],
  },
  'drops a column of a reference': {
    from: () => blog({ articles: (of) => ({ properties: { editor: () => p.manyToOne(of.Author).nullable() } }) }),
    to: () => blog(),
    assures: ['drop-column'],
  },
};

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));
