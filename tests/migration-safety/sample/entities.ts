import { defineEntity, p } from '@mikro-orm/core';

export const Author = defineEntity({
  name: 'Author',
  tableName: 'authors',
  properties: {
    id: p.integer().primary(),
    name: p.string(),
    email: p.string().unique(),
  },
});

export const Article = defineEntity({
  name: 'Article',
  tableName: 'articles',
  properties: {
    id: p.integer().primary(),
    title: p.string().index('articles_title_index'),
    body: p.text(),
    slug: p.string().nullable(),
    author: () => p.manyToOne(Author),
  },
});

export const entities = [Author, Article];
