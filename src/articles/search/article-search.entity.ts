import { PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, Index, OneToOne, Property } from '@mikro-orm/decorators/legacy';
import { Article } from '../article.entity.ts';

/**
 * The words of an article, which triggers update. They have a table of their own, so that a favourite, which changes the article's
 * row, does not write all its words to the index again.
 */
@Entity({ tableName: 'article_search' })
@Index({
  name: 'article_search_words',
  expression: 'create index article_search_words on article_search using gin (vector)',
})
@Index({
  name: 'article_search_title_words',
  expression: `create index article_search_title_words on article_search using gin (ts_filter(vector, '{a}'))`,
})
@Index({ name: 'article_search_by_language', properties: ['language', 'article'] })
export class ArticleSearch {
  [PrimaryKeyProp]?: 'article';

  @OneToOne({ entity: () => Article, primary: true, deleteRule: 'cascade', updateRule: 'no action' })
  readonly article!: Article;

  /** The language in which the article is indexed; empty until it is. */
  @Property({ type: 'text', default: '' })
  readonly language!: string;

  /** The names of its tags, as they were indexed. */
  @Property({ type: 'text', default: '' })
  readonly tags!: string;

  /** Weights: A title, B description, C tags, D body. */
  @Property({ columnType: 'tsvector', type: 'string', defaultRaw: `''` })
  readonly vector!: string;
}
