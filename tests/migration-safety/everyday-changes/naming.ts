import { p } from '@mikro-orm/core';
import { BLOG_ROWS, blog, type TableChanges, table } from './blog.ts';

/** Articles with these properties beside the others, and more options of the table. */
export const articles =
  (properties: Record<string, unknown>, changes: TableChanges = {}) =>
  () =>
    blog({ articles: { properties, ...changes } });
/** The title under another name. */
export const renamed = { title: null, headline: p.string().length(50) };

// The options of a table that name this column.

export const index = (column: string) => ({ indexes: [{ name: 'articles_by_title', properties: [column, 'slug'] }] });
export const partial = (column: string) => ({
  indexes: [{ name: 'some', properties: ['slug'], where: `${column} <> ''` }],
});
export const check = (column: string) => ({
  checks: [{ name: 'articles_length', expression: `length(${column}) < 50` }],
});
export const unique = (column: string) => ({ uniques: [{ name: 'articles_pair', properties: ['author', column] }] });
export const trigger = (column: string) => ({
  triggers: [
    {
      name: 'stamp',
      timing: 'before',
      events: ['insert', 'update'],
      body: `new.${column} = trim(new.${column}); return new;`,
    },
  ],
});
export const policy = (column: string) => ({
  policies: [{ name: 'some', command: 'select', using: `${column} <> ''` }],
});
export const computed = (column: string) => ({
  length: p.integer().generated(`(length(${column})) stored`).nullable(),
});
export const titlesView = (column: string) =>
  table('Headline', 'headlines', {
    view: true,
    expression: `select id, ${column} as title from articles`,
    properties: { id: p.integer().primary(), title: p.text() },
  });

/** A column that a trigger of another table updates. */
export const counted =
  (column: string, body = column) =>
  () =>
    blog({
      articles: { properties: { readCount: null, [column]: p.integer().fieldName(column).default(0) } },
      others: ({ Article }) => [
        table('Read', 'reads', {
          properties: { id: p.integer().primary(), article: () => p.manyToOne(Article) },
          triggers: [
            {
              name: 'count_up',
              timing: 'after',
              events: ['insert'],
              body: `update articles set ${body} = ${body} + 1 where id = new.article_id; return null;`,
            },
          ],
        }),
      ],
    });
export const withCounter = counted('read_count');
export const READS = [...BLOG_ROWS, 'insert into reads (article_id) values (1), (1)'];
