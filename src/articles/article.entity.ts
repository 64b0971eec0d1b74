import { Collection, raw as ormRaw } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Enum,
  Index,
  ManyToMany,
  ManyToOne,
  PrimaryKey,
  Property,
  Trigger,
  Unique,
} from '@mikro-orm/decorators/legacy';
import { Extensions, Field, Int, ObjectType } from 'type-graphql';
import { COLLATION } from '../database/collation.ts';
import { lengthCheck } from '../database/length-check.ts';
import { Node } from '../graphql/node.ts';
import { DateTime, Url } from '../graphql/scalars.ts';
import { formatLimit } from '../graphql/validation.ts';
import type { Markdown } from '../markdown/markdown.ts';
import { clearWhenStale } from '../markdown/stale-rendering.ts';
import { Visible } from '../reading/read-plan.ts';
import { raw, type Sql, sql } from '../reading/sql.ts';
import { Tag } from '../tags/tag.entity.ts';
import { User } from '../users/user.entity.ts';
import { ARTICLE_LIMITS } from './article.limits.ts';
import { COPY_DATE_TO_LINKS, countInTags, KEEP_FIRST_SLUG, KEEP_SLUG } from './article.triggers.ts';
import { ArticleStatus, STATUS_SQL } from './article-status.ts';
import { ArticleTag } from './article-tag.entity.ts';
import { INDEX_CHANGED_TEXT, INDEX_NEW_TEXT } from './search/search-functions.ts';

/** The condition of indexes of one author's articles: if only some had it, PostgreSQL would prefer those, and sort. */
const PUBLISHED = `status = ${STATUS_SQL.PUBLISHED}`;

/** The value in the text, not a parameter, since it decides which indexes serve. */
const isPublished = (status: Sql): Sql => sql`${status} = ${raw(STATUS_SQL.PUBLISHED)}`;

const BY_TITLE = { name: 'title', collation: COLLATION };

/** An article. Only properties with `@Field` leave the server; computed fields are in `*.fields.ts` files. */
@ObjectType({ implements: Node, description: 'A text with its author, tags, favourites and comments.' })
@Visible<Article>({
  listed: ({ status }) => isPublished(status),
  found: ({ status, author }, viewer) =>
    viewer ? sql`(${isPublished(status)} or ${author} = ${viewer.id})` : isPublished(status),
})
@Entity({ tableName: 'articles' })
@Check({ name: 'articles_slug_length', expression: lengthCheck('slug', 1, ARTICLE_LIMITS.slug) })
@Check({ name: 'articles_title_length', expression: lengthCheck('title', 1, ARTICLE_LIMITS.title) })
@Check({
  name: 'articles_description_length',
  expression: lengthCheck('description', 1, ARTICLE_LIMITS.description),
})
@Check({ name: 'articles_body_length', expression: lengthCheck('body', 1, ARTICLE_LIMITS.body) })
@Check({ name: 'articles_cover_image_length', expression: lengthCheck('cover_image', 1, ARTICLE_LIMITS.coverImage) })
@Check({ name: 'articles_published_at', expression: `status = ${STATUS_SQL.DRAFT} or published_at is not null` })
@Index({ name: 'articles_published', properties: ['publishedAt', 'id'], where: PUBLISHED })
@Index({ name: 'articles_by_updated_at', properties: ['updatedAt', 'id'] })
@Index({ name: 'articles_by_favorites_count', properties: ['favoritesCount', 'id'] })
@Index({ name: 'articles_by_comments_count', properties: ['commentsCount', 'id'] })
@Index({ name: 'articles_by_read_count', properties: ['readCount', 'id'] })
@Index({ name: 'articles_by_title', columns: [BY_TITLE, { name: 'id' }] })
@Index({ name: 'articles_published_by_author', properties: ['author', 'publishedAt', 'id'], where: PUBLISHED })
@Index({
  name: 'articles_published_by_author_and_updated_at',
  properties: ['author', 'updatedAt', 'id'],
  where: PUBLISHED,
})
@Index({
  name: 'articles_published_by_author_and_favorites_count',
  properties: ['author', 'favoritesCount', 'id'],
  where: PUBLISHED,
})
@Index({
  name: 'articles_published_by_author_and_comments_count',
  properties: ['author', 'commentsCount', 'id'],
  where: PUBLISHED,
})
@Index({
  name: 'articles_published_by_author_and_read_count',
  properties: ['author', 'readCount', 'id'],
  where: PUBLISHED,
})
@Index({
  name: 'articles_published_by_author_and_title',
  columns: [{ name: 'author' }, BY_TITLE, { name: 'id' }],
  where: PUBLISHED,
})
@Index({ name: 'articles_drafts', properties: ['author', 'updatedAt', 'id'], where: `status = ${STATUS_SQL.DRAFT}` })
@Trigger({ name: 'keep_first_slug', timing: 'after', events: ['insert'], body: KEEP_FIRST_SLUG })
@Trigger({
  name: 'keep_slug',
  timing: 'after',
  events: ['update'],
  when: '(old.slug <> new.slug)',
  body: KEEP_SLUG,
})
@Trigger({
  name: 'copy_published_at',
  timing: 'after',
  events: ['update'],
  when: '((old.status <> new.status) OR (old.published_at IS DISTINCT FROM new.published_at))',
  body: COPY_DATE_TO_LINKS,
})
@Trigger({
  name: 'count_in_tags',
  timing: 'after',
  events: ['update'],
  when: '(old.status <> new.status)',
  body: countInTags('new', `+ case new.status when ${STATUS_SQL.PUBLISHED} then 1 else -1 end`),
})
@Trigger({
  name: 'count_down_in_tags',
  timing: 'before',
  events: ['delete'],
  when: `(old.status = ${STATUS_SQL.PUBLISHED}::text)`,
  body: countInTags('old', '- 1'),
})
@Index({ name: 'articles_by_renderer_version', properties: ['rendererVersion', 'id'] })
@Trigger(clearWhenStale('body_html', 'opening_text', 'reading_time_minutes'))
@Trigger(INDEX_NEW_TEXT)
@Trigger(INDEX_CHANGED_TEXT)
export class Article {
  @PrimaryKey({ type: 'integer', generated: 'by default as identity' })
  readonly id!: number;

  @Field(() => String, {
    description: `Unique URL key of at most ${ARTICLE_LIMITS.slug} characters, made from the title. Changes with the title, unless that makes the same one; old slugs keep finding the article. Ends at random where another article has or had it, and where the title was given to a draft.`,
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
  readonly body!: string;

  /** This and the next two are made from `body`, and null until it is rendered: see rendered-fields.ts. */
  @Property({ type: 'text', nullable: true, lazy: true })
  readonly bodyHtml!: string | null;

  @Property({ type: 'text', nullable: true, lazy: true })
  readonly openingText!: string | null;

  @Property({ type: 'integer', nullable: true })
  readonly readingTimeMinutes!: number | null;

  @Property({ type: 'integer', default: 0 })
  readonly rendererVersion!: number;

  @Property({ type: 'datetime', length: 3, nullable: true })
  readonly renderedAt!: Date | null;

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

  @Field(() => ArticleStatus, { description: 'Who sees it.' })
  @Enum({ items: () => ArticleStatus, default: ArticleStatus.PUBLISHED })
  status!: ArticleStatus;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was first published; null if it never was. Stays when it becomes a draft again.',
  })
  @Property({ type: 'datetime', length: 3, nullable: true, defaultRaw: 'now()' })
  publishedAt!: Date | null;

  @Field(() => Int, {
    description: 'Grows by one with every change by its author. Send it back as `expectedVersion`.',
  })
  @Property({ type: 'integer', version: true })
  readonly version!: number;

  @Field(() => Url, { nullable: true, description: 'Address of a picture to show above it. Null when it has none.' })
  @Property({ type: 'text', nullable: true })
  coverImage!: string | null;

  /** Maintained by the triggers on favorites, so that articles are ordered by it without counting. */
  @Field(() => Int, { description: 'How many users have favourited it.' })
  @Property({ type: 'integer', default: 0 })
  readonly favoritesCount!: number;

  /** Maintained by the triggers on comments, so that articles are ordered by it without counting. */
  @Field(() => Int, { description: 'How many comments it has.' })
  @Property({ type: 'integer', default: 0 })
  readonly commentsCount!: number;

  /** Written by reads/write-reads.ts, which leaves `updatedAt` and `version` as they are. */
  @Field(() => Int, { description: 'How often it was read, as `recordArticleRead` counts.' })
  @Property({ type: 'integer', default: 0 })
  readonly readCount!: number;

  constructor(author: User, content: ArticleContent) {
    this.author = author;
    this.assign(content);
    if (content.status === ArticleStatus.DRAFT) this.publishedAt = null; // otherwise now, by the column's default
  }

  isWrittenBy(user: { id: number }): boolean {
    return this.author.id === user.id;
  }

  /** Whether the given values are not all those of the article. */
  differsFrom({ body, ...changes }: Partial<ArticleContent>): boolean {
    if (body && body.source !== this.body) return true;
    return Object.entries(changes).some(([name, value]) => value !== this[name as keyof typeof changes]);
  }

  /** Assigns the given values; absent ones stay unchanged. */
  change(changes: Partial<ArticleContent>): void {
    this.assign(changes);
    if (this.status === ArticleStatus.PUBLISHED) this.publishedAt ??= ormRaw<Date>('now()');
    // Two changes within a millisecond still differ, since clients compare updatedAt to detect changes.
    this.updatedAt = ormRaw<Date>("greatest(now(), updated_at + interval '1 millisecond')");
  }

  private assign({ body, ...content }: Partial<ArticleContent>): void {
    Object.assign(this, content, body?.source === this.body ? {} : body?.articleColumns(this.renderedAt));
  }
}

export interface ArticleContent {
  slug: string;
  title: string;
  description: string;
  body: Markdown;
  coverImage?: string | null;
  /** Published unless given. */
  status?: ArticleStatus;
}
