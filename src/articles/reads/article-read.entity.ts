import { PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/**
 * When a read of an article by a reader was last counted. Rows are deleted soon after the window in which no other read counts.
 * There is no foreign key, since checking it for each row would lock the article.
 */
@Entity({ tableName: 'article_reads' })
export class ArticleRead {
  [PrimaryKeyProp]?: ['articleId', 'reader'];

  @PrimaryKey({ type: 'integer' })
  readonly articleId!: number;

  /** From `ReaderIds`: a keyed hash that names nobody. */
  @PrimaryKey({ type: 'text' })
  readonly reader!: string;

  @Index({ name: 'article_reads_by_counted_at' })
  @Property({ type: 'datetime', length: 3 })
  readonly countedAt!: Date;
}
