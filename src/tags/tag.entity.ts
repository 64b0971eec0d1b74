import { OptionalProps } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';
import { Node } from '../graphql/node.ts';

/** A word that articles are found by. */
@ObjectType({ implements: Node, description: 'A word that authors file their articles under. Tags differ by case.' })
@Entity({ tableName: 'tags' })
@Check({ name: 'tags_name_length', expression: '(char_length(name) >= 1) and (char_length(name) <= 50)' })
@Index({ name: 'tags_by_articles_count', properties: ['articlesCount', 'id'] })
export class Tag {
  [OptionalProps]?: 'articlesCount';

  @PrimaryKey({ type: 'integer', generated: 'by default as identity' })
  readonly id!: number;

  @Field(() => String, { description: 'Unique, 1 to 50 characters, without white space around it.' })
  @Unique({ name: 'tags_name_unique' })
  @Property({ type: 'text' })
  readonly name!: string;

  /** Kept by the trigger on article_tags, so that popular tags can be listed without counting. */
  @Field(() => Int, { description: 'How many articles carry the tag.' })
  @Property({ type: 'integer', default: 0 })
  readonly articlesCount!: number;
}
