import { ArgsType, Extensions, Field, ID, InputType, Int, registerEnumType } from 'type-graphql';
import { z } from 'zod';
import { ArticleBy } from '../articles/article.input.ts';
import { formatLimit, text } from '../graphql/validation.ts';
import { OrderDirection, PageArgs } from '../reading/page-args.ts';
import { describeIdempotencyKey, idempotencyKey } from '../users/create-once.ts';
import { COMMENT_LIMITS } from './comment.limits.ts';

@InputType({ description: 'RealWorld addresses a comment by article slug + integer id.' })
export class CommentInArticle {
  @Field(() => String, { description: 'Slug of the article.' })
  slug!: string;

  @Field(() => Int, { description: '`databaseId` of the comment.' })
  databaseId!: number;
}

@InputType({ description: 'Which comment: exactly one of the keys.' })
@Extensions({ oneOf: true })
export class CommentBy {
  @Field(() => ID, { nullable: true, description: 'Its opaque id.' })
  id?: string;

  @Field(() => CommentInArticle, { nullable: true, description: 'Its place, as RealWorld has it.' })
  inArticle?: CommentInArticle;
}

export enum CommentOrderField {
  CREATED_AT = 'CREATED_AT',
}

registerEnumType(CommentOrderField, {
  name: 'CommentOrderField',
  description: 'What comments are ordered by. Ties are broken by id, so that paging loses none.',
  valuesConfig: { CREATED_AT: { description: 'When it was written.' } },
});

@InputType({ description: 'An order of comments.' })
export class CommentOrder {
  @Field(() => CommentOrderField, { description: 'What to order by.' })
  field!: CommentOrderField;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.ASC, description: 'Which end comes first.' })
  direction!: OrderDirection;
}

@ArgsType()
export class CommentListArgs extends PageArgs {
  @Field(() => CommentOrder, { nullable: true, description: 'Oldest first unless given.' })
  orderBy?: CommentOrder | null;
}

@InputType({ description: 'A new comment.' })
export class AddCommentInput {
  @Field(() => ArticleBy, { description: 'The article it is about.' })
  article!: ArticleBy;

  @Field(() => String, { description: `At most ${formatLimit(COMMENT_LIMITS.body)} characters.` })
  body!: string;

  @Field(() => String, { nullable: true, description: describeIdempotencyKey('comment') })
  idempotencyKey?: string | null;
}

@InputType({ description: 'What a comment says from now on.' })
export class UpdateCommentInput {
  @Field(() => CommentBy, { description: 'Which one.' })
  comment!: CommentBy;

  @Field(() => String, { description: `At most ${formatLimit(COMMENT_LIMITS.body)} characters.` })
  body!: string;
}

@InputType({ description: 'A comment to delete.' })
export class DeleteCommentInput {
  @Field(() => CommentBy, { description: 'Which one.' })
  comment!: CommentBy;
}

export const commentRules = z.object({ body: text(COMMENT_LIMITS.body) });

export const newCommentRules = commentRules.extend({ idempotencyKey });
