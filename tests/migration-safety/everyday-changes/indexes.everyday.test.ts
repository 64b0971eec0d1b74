import { p } from '@mikro-orm/core';
import { test, vi } from 'vitest';
import { blog, type TableChanges } from './blog.ts';
import { type Change, holds } from './change.ts';

vi.setConfig({ testTimeout: 240_000 });

const labels = p.string().columnType('text[]').nullable();
const articles = (changes: TableChanges) => () =>
  blog({ articles: { ...changes, properties: { labels, ...changes.properties } } });
const plain = articles({});
const indexes = (...all: object[]) => articles({ indexes: all });
const index = (options: object) => indexes({ name: 'articles_index', ...options });
const byTitle = index({ properties: ['title'] });

/** One index of each kind. */
const OF_EACH_KIND = [
  { name: 'by_hash', properties: ['slug'], type: 'hash' },
  { name: 'by_label', properties: ['labels'], type: 'gin' },
  { name: 'by_day', properties: ['publishedAt'], type: 'brin' },
  { name: 'of_read', properties: ['author'], where: 'read_count > 0' },
  { name: 'descending', columns: [{ name: 'publishedAt', sort: 'DESC', nulls: 'LAST' }, { name: 'id' }] },
  { name: 'covering', properties: ['author'], include: ['title'] },
  { name: 'lowered', expression: 'create index "lowered" on "articles" (lower(title), (read_count % 2))' },
  { name: 'padded', properties: ['slug'], fillFactor: 70 },
];

const CHANGES: Record<string, Change> = {
  'adds an index': { from: plain, to: byTitle },
  'adds an index of each kind': { from: plain, to: indexes(...OF_EACH_KIND) },
  'drops an index of each kind': { from: indexes(...OF_EACH_KIND), to: plain },
  'changes the columns, method, order, predicate and included columns of indexes': {
    from: indexes(...OF_EACH_KIND, { name: 'by_title', properties: ['title'] }),
    to: indexes(
      { name: 'by_hash', properties: ['slug'] },
      { name: 'by_label', properties: ['labels', 'slug'] },
      { name: 'by_day', properties: ['publishedAt'], type: 'btree' },
      { name: 'of_read', properties: ['author'], where: 'read_count > 1' },
      { name: 'descending', columns: [{ name: 'publishedAt', sort: 'ASC' }, { name: 'id' }] },
      { name: 'covering', properties: ['author'], include: ['title', 'slug'] },
      { name: 'lowered', expression: 'create index "lowered" on "articles" (upper(title))' },
      { name: 'padded', properties: ['slug'], fillFactor: 90 },
      { name: 'by_title', properties: ['title'], type: 'hash' },
    ),
  },
  'renames an index': { from: byTitle, to: indexes({ name: 'articles_by_title', properties: ['title'] }) },
  'makes an index unique, and a unique constraint an index': {
    from: articles({
      indexes: [{ name: 'articles_slug', properties: ['slug'] }],
      uniques: [{ name: 'articles_pair', properties: ['author', 'title'] }],
    }),
    to: articles({
      uniques: [{ name: 'articles_slug', properties: ['slug'] }],
      indexes: [{ name: 'articles_pair', properties: ['author', 'title'] }],
    }),
    assures: ['drop-unique'],
  },
  'adds, changes and drops unique constraints that are partial, covering and deferrable': {
    from: articles({
      uniques: [
        { name: 'changed', properties: ['author', 'title'] },
        { name: 'partial', properties: ['slug'], where: 'read_count > 0' },
        { name: 'dropped', properties: ['title'], deferMode: 'immediate' },
      ],
    }),
    to: articles({
      uniques: [
        { name: 'changed', properties: ['author', 'title'], deferMode: 'deferred' },
        { name: 'partial', properties: ['slug'], where: 'read_count > 2' },
        { name: 'covering', properties: ['author', 'title'], include: ['slug'] },
      ],
    }),
    assures: ['drop-unique'],
  },
  'makes a column unique that a new entity refers to': {
    from: plain,
    to: () =>
      blog({
        authors: { properties: { name: p.string().length(50).unique() } },
        articles: (of) => ({
          properties: { labels, editor: () => p.manyToOne(of.Author).targetKey('name').nullable() },
        }),
      }),
    assures: [],
  },
};

for (const [change, what] of Object.entries(CHANGES)) test(change, () => holds(what));
