import { Collection } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToMany,
  ManyToOne,
  PrimaryKey,
  Property,
  Unique,
} from '@mikro-orm/decorators/legacy';
import { Extensions, Field, Int, ObjectType } from 'type-graphql';
import { lengthCheck } from '../database/length-check.ts';
import { Node } from '../graphql/node.ts';
import { DateTime } from '../graphql/scalars.ts';
import { formatLimit } from '../graphql/validation.ts';
import { Tag } from '../tags/tag.entity.ts';
import { User } from '../users/user.entity.ts';
import { ARTICLE_LIMITS } from './article.limits.ts';
import { ArticleTag } from './article-tag.entity.ts';

/** An article. Only properties with `@Field` leave the server; computed fields are in `*.fields.ts` files. */
@ObjectType({ implements: Node, description: 'A published text with its author, tags, favourites and comments.' })
@Entity({ tableName: 'articles' })
@Check({ name: 'articles_slug_length', expression: lengthCheck('slug', 1, ARTICLE_LIMITS.slug) })
@Check({ name: 'articles_title_length', expression: lengthCheck('title', 1, ARTICLE_LIMITS.title) })
@Check({
  name: 'articles_description_length',
  expression: lengthCheck('description', 1, ARTICLE_LIMITS.description),
})
@Check({ name: 'articles_body_length', expression: lengthCheck('body', 1, ARTICLE_LIMITS.body) })
@Index({ name: 'articles_by_author', properties: ['author', 'publishedAt', 'id'] })
@Index({ name: 'articles_by_author_and_updated_at', properties: ['author', 'updatedAt', 'id'] })
@Index({ name: 'articles_by_author_and_favorites_count', properties: ['author', 'favoritesCount', 'id'] })
@Index({ name: 'articles_by_author_and_comments_count', properties: ['author', 'commentsCount', 'id'] })
@Index({ name: 'articles_by_author_and_title', properties: ['author', 'title', 'id'] })
@Index({ name: 'articles_by_published_at', properties: ['publishedAt', 'id'] })
@Index({ name: 'articles_by_updated_at', properties: ['updatedAt', 'id'] })
@Index({ name: 'articles_by_favorites_count', properties: ['favoritesCount', 'id'] })
@Index({ name: 'articles_by_comments_count', properties: ['commentsCount', 'id'] })
@Index({ name: 'articles_by_title', properties: ['title', 'id'] })
export class Article {
  @PrimaryKey({ type: 'integer', generated: 'by default as identity' })
  readonly id!: number;

  @Field(() => String, {
    description: `Unique URL key of at most ${ARTICLE_LIMITS.slug} characters, made from the title. Changes when the title changes.`,
  })
  @Unique({ name: 'articles_slug_unique' })
  @Property({ type: 'text' })
  slug!: string;

  @Field(() => String, { description: `At most ${ARTICLE_LIMITS.title} characters.` })
  @Property({ type: 'text' })
  title!: string;

  @Field(() => String, { description: `What the article is about, at most ${ARTICLE_LIMITS.description} characters.` })
  @Property({ type: 'text' })
  description!: string;

  @Extensions({ maxCharacters: ARTICLE_LIMITS.body })
  @Field(() => String, { description: `Markdown source, at most ${formatLimit(ARTICLE_LIMITS.body)} characters.` })
  @Property({ type: 'text' })
  body!: string;

  @ManyToOne({ entity: () => User, deleteRule: 'cascade' })
  readonly author!: User;

  @ManyToMany({ entity: () => Tag, pivotEntity: () => ArticleTag, fixedOrder: true, fixedOrderColumn: 'position' })
  readonly tags = new Collection<Tag>(this);

  @Field(() => DateTime, { description: 'When the article was written. Never changes.' })
  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  readonly createdAt!: Date;

  @Field(() => DateTime, { description: 'When its author last changed it. Later with every change.' })
  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  updatedAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When readers could first see it.' })
  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  readonly publishedAt!: Date;

  /** Maintained by the triggers on favorites, so that articles are ordered by it without counting. */
  @Field(() => Int, { description: 'How many users have favourited it.' })
  @Property({ type: 'integer', default: 0 })
  readonly favoritesCount!: number;

  /** Maintained by the triggers on comments, so that articles are ordered by it without counting. */
  @Field(() => Int, { description: 'How many comments it has.' })
  @Property({ type: 'integer', default: 0 })
  readonly commentsCount!: number;

  constructor(author: User, content: ArticleContent) {
    this.author = author;
    Object.assign(this, content);
  }

  isWrittenBy(user: { id: number }): boolean {
    return this.author.id === user.id;
  }

  /** Assigns the given values; absent ones stay unchanged. */
  change(changes: Partial<ArticleContent>): void {
    Object.assign(this, changes);
    // Two changes within a millisecond still differ, since clients compare updatedAt to detect changes.
    this.updatedAt = new Date(Math.max(Date.now(), this.updatedAt.getTime() + 1));
  }
}

export interface ArticleContent {
  slug: string;
  title: string;
  description: string;
  body: string;
}
