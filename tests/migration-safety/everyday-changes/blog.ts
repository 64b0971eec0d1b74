import { defineEntity, type EntitySchema, p } from '@mikro-orm/core';

type Properties = Record<string, unknown>;

/** Changes of a table: options of defineEntity(), and properties, of which null removes one. */
export interface TableChanges {
  properties?: Properties;
  [option: string]: unknown;
}

/** The entities of the blog, for references between them. */
export interface Blog {
  Author: EntitySchema;
  Article: EntitySchema;
}

/** A function, if properties refer to the entities of the blog. */
type Changes = TableChanges | ((of: Blog) => TableChanges);

export interface BlogChanges {
  authors?: Changes;
  /** Null drops the table. */
  articles?: Changes | null;
  /** More entities. */
  others?: (of: Blog) => unknown[];
}

/** The entities of a small blog. */
export function blog({ authors = {}, articles = {}, others = () => [] }: BlogChanges = {}): unknown[] {
  const of = {} as Blog;
  const changes = (given: Changes) => (typeof given === 'function' ? given(of) : given);
  of.Author = table('Author', 'authors', changes(authors), {
    id: p.integer().primary(),
    name: p.string().length(50),
    email: p.string().unique(),
  });
  of.Article = table('Article', 'articles', changes(articles ?? {}), {
    id: p.integer().primary(),
    title: p.string().length(50),
    body: p.text(),
    slug: p.string().nullable(),
    readCount: p.integer().default(0),
    price: p.decimal().precision(10).scale(2).default('0'),
    publishedAt: p.datetime().columnType('timestamptz').nullable(),
    author: () => p.manyToOne(of.Author),
  });
  return [of.Author, ...(articles ? [of.Article] : []), ...others(of)];
}

/** An entity of its own. */
export function table(name: string, tableName: string, changes: TableChanges, properties: Properties = {}) {
  const all = Object.entries({ ...properties, ...changes.properties }).filter(([, property]) => property !== null);
  return defineEntity({
    name,
    tableName,
    ...changes,
    properties: Object.fromEntries(all),
  } as never) as unknown as EntitySchema;
}

/** Two authors and three articles, of which one has no slug. */
export const BLOG_ROWS = [
  `insert into authors (name, email) values ('Ann', 'ann@example.com'), ('Bob', 'bob@example.com')`,
  `insert into articles (title, body, slug, read_count, price, published_at, author_id) values
    ('A long title of an article', 'One', 'one', 1, 1.25, '2024-02-29 23:30:00+00', 1),
    ('Two', 'It''s "two"', null, 0, 0, null, 1),
    ('Three', '', 'three', 3, 3.10, '2024-03-01 12:00:00.123456+00', 2)`,
];
