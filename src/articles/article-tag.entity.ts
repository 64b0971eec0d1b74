import { Entity, Index, ManyToOne, PrimaryKey, Property, Trigger, Unique } from '@mikro-orm/decorators/legacy';
import { Tag } from '../tags/tag.entity.ts';
import { Article } from './article.entity.ts';
import { COPY_DATE_TO_LINK, countLink } from './article.triggers.ts';
import { INDEX_TAGS } from './search/search-functions.ts';

/**
 * A tag of an article. `position` increases with every row, which keeps the tags in the author's order. The triggers count
 * published articles only. The links of a deleted article were counted down by its own trigger.
 */
@Entity({ tableName: 'article_tags' })
@Unique({ name: 'article_tags_unique', properties: ['article', 'tag'] })
@Index({ name: 'article_tags_by_tag_and_published_at', properties: ['tag', 'publishedAt', 'article'] })
@Trigger({ name: 'copy_published_at', timing: 'before', events: ['insert'], body: COPY_DATE_TO_LINK })
@Trigger({ name: 'count_up', timing: 'after', events: ['insert'], body: countLink('new', '+ 1') })
@Trigger({ name: 'count_down', timing: 'after', events: ['delete'], body: countLink('old', '- 1') })
@Trigger(INDEX_TAGS)
export class ArticleTag {
  @PrimaryKey({ type: 'integer', generated: 'by default as identity' })
  readonly position!: number;

  @ManyToOne({ entity: () => Article, deleteRule: 'cascade' })
  readonly article!: Article;

  @ManyToOne({ entity: () => Tag, deleteRule: 'cascade' })
  readonly tag!: Tag;

  /** A copy of the article's date while it is published, otherwise null. Triggers update it; an index has a tag's articles in its order. */
  @Property({ type: 'datetime', length: 3, nullable: true })
  readonly publishedAt!: Date | null;
}
