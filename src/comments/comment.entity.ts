import { raw } from '@mikro-orm/core';
import { Check, Entity, Index, ManyToOne, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import { Extensions, Field, ObjectType } from 'type-graphql';
import { Article } from '../articles/article.entity.ts';
import { lengthCheck } from '../database/length-check.ts';
import { Node } from '../graphql/node.ts';
import { DateTime } from '../graphql/scalars.ts';
import { formatLimit } from '../graphql/validation.ts';
import type { Markdown } from '../markdown/markdown.ts';
import { clearWhenStale } from '../markdown/stale-rendering.ts';
import { exists, Visible } from '../reading/read-plan.ts';
import { User } from '../users/user.entity.ts';
import { COMMENT_LIMITS } from './comment.limits.ts';

/** A comment on an article. Computed fields are in comment.fields.ts. */
@ObjectType({ implements: Node, description: 'What somebody said about an article.' })
@Visible<Comment>({
  listed: (comment) => exists(Article, { id: comment.article }),
  found: (comment) => exists(Article, { id: comment.article }),
})
@Entity({ tableName: 'comments' })
@Check({ name: 'comments_body_length', expression: lengthCheck('body', 1, COMMENT_LIMITS.body) })
@Index({ name: 'comments_by_article', properties: ['article', 'createdAt', 'id'] })
@Index({ name: 'comments_by_author', properties: ['author'] })
@Index({ name: 'comments_by_renderer_version', properties: ['rendererVersion', 'id'] })
@Trigger(clearWhenStale('body_html'))
@Trigger({
  name: 'count_up',
  timing: 'after',
  events: ['insert'],
  body: 'update articles set comments_count = comments_count + 1 where id = new.article_id; return null;',
})
@Trigger({
  name: 'count_down',
  timing: 'after',
  events: ['delete'],
  body: 'update articles set comments_count = comments_count - 1 where id = old.article_id; return null;',
})
export class Comment {
  @PrimaryKey({ type: 'integer', generated: 'by default as identity' })
  readonly id!: number;

  @Extensions({ maxCharacters: COMMENT_LIMITS.body })
  @Field(() => String, {
    description: `Markdown, at most ${formatLimit(COMMENT_LIMITS.body)} characters.`,
  })
  @Property({ type: 'text' })
  readonly body!: string;

  /** Made from `body`, and null until a renderer has: see rendered-fields.ts. */
  @Property({ type: 'text', nullable: true, lazy: true })
  readonly bodyHtml!: string | null;

  @Property({ type: 'integer', default: 0 })
  readonly rendererVersion!: number;

  @Property({ type: 'datetime', length: 3, nullable: true })
  readonly renderedAt!: Date | null;

  @ManyToOne({ entity: () => Article, deleteRule: 'cascade' })
  readonly article!: Article;

  /** Null once the account is deleted; its comments on other authors' articles stay. */
  @ManyToOne({ entity: () => User, nullable: true, deleteRule: 'set null' })
  readonly author!: User | null;

  @Field(() => DateTime, { description: 'When it was written.' })
  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  readonly createdAt!: Date;

  @Field(() => DateTime, { description: 'When its author last changed it.' })
  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  updatedAt!: Date;

  constructor(article: Article, author: User, body: Markdown) {
    this.article = article;
    this.author = author;
    Object.assign(this, body.columns(this.renderedAt));
  }

  isWrittenBy(user: { id: number }): boolean {
    return this.author?.id === user.id;
  }

  change(body: Markdown): void {
    if (body.source === this.body) return;
    Object.assign(this, body.columns(this.renderedAt));
    this.updatedAt = raw<Date>("greatest(now(), updated_at + interval '1 millisecond')");
  }
}
