import { Field, ID, ObjectType } from 'type-graphql';
import { Article } from '../articles/article.entity.ts';
import { UserError } from '../graphql/user-errors.ts';
import { Comment } from './comment.entity.ts';

@ObjectType({ description: 'The comment that was acted on.' })
export class CommentPayload {
  @Field(() => Comment, { nullable: true, description: 'As it is now.' })
  comment?: Comment;

  @Field(() => Article, { nullable: true, description: 'Its article, with the new counts.' })
  article?: Article;

  @Field(() => [UserError], { description: 'Why nothing was done; empty when it was.' })
  errors?: readonly UserError[];
}

@ObjectType({ description: 'The end of a comment.' })
export class DeleteCommentPayload {
  @Field(() => ID, { nullable: true, description: 'Id of the comment that is no more, to drop from caches.' })
  deletedId?: string;

  @Field(() => Article, { nullable: true, description: 'Its article, with the new counts.' })
  article?: Article;

  @Field(() => [UserError], { description: 'Why nothing was done; empty when it was.' })
  errors?: readonly UserError[];
}
