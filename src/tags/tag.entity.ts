import { OptionalProps } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';
import { COLLATION } from '../database/collation.ts';
import { lengthCheck } from '../database/length-check.ts';
import { Node } from '../graphql/node.ts';
import { nameIndexes } from '../reading/lists/name-search.ts';
import { Visible } from '../reading/read-plan.ts';
import { sql } from '../reading/sql.ts';
import { TAG_LIMITS } from './tag.limits.ts';

const [BY_START, BY_PARTS] = nameIndexes('tags', 'name_key');

/** A word by which articles are found. A tag that only drafts carry is seen by their authors alone. */
@ObjectType({
  implements: Node,
  description:
    'A word that authors file their articles under. Tags differ by case, not by how an accent is spelled (NFC).',
})
@Visible<Tag>({
  listed: (tag) => sql`${tag.articlesCount} > 0`,
  found: (tag, viewer) =>
    viewer
      ? sql`(${tag.articlesCount} > 0 or exists(select from article_tags join articles on articles.id = article_id
          where tag_id = ${tag.id} and author_id = ${viewer.id}))`
      : sql`${tag.articlesCount} > 0`,
})
@Entity({ tableName: 'tags' })
@Check({ name: 'tags_name_length', expression: lengthCheck('name', 1, TAG_LIMITS.name) })
@Index({ name: 'tags_by_articles_count', properties: ['articlesCount', 'id'] })
@Index({ name: 'tags_by_name', columns: [{ name: 'name', collation: COLLATION }, { name: 'id' }] })
@Index(BY_START)
@Index(BY_PARTS)
export class Tag {
  [OptionalProps]?: 'nameKey' | 'articlesCount';

  @PrimaryKey({ type: 'integer', generated: 'by default as identity' })
  readonly id!: number;

  @Field(() => String, { description: `Unique, 1 to ${TAG_LIMITS.name} characters, without white space around it.` })
  @Unique({ name: 'tags_name_unique' })
  @Property({ type: 'text' })
  readonly name!: string;

  /**
   * The case-folded `name`, for prefixes. Not unique, since tags differ by case. Empty for a tag that an older release has inserted,
   * until an article gets it again.
   */
  @Property({ type: 'text', default: '' })
  readonly nameKey!: string;

  /** Maintained by the triggers on article_tags and articles, so that popular tags are listed without counting. */
  @Field(() => Int, { description: 'How many published articles carry the tag.' })
  @Property({ type: 'integer', default: 0 })
  readonly articlesCount!: number;
}
