import { Entity, Index, ManyToOne, PrimaryKey } from '@mikro-orm/decorators/legacy';
import { Article } from './article.entity.ts';

/** A slug that an article has or had. The triggers of articles add them, so that links to old slugs keep working. */
@Entity({ tableName: 'article_slugs' })
@Index({ name: 'article_slugs_by_article', properties: ['article'] })
export class ArticleSlug {
  @PrimaryKey({ type: 'text' })
  readonly slug!: string;

  @ManyToOne({ entity: () => Article, deleteRule: 'cascade' })
  readonly article!: Article;
}
