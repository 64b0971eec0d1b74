import { Int, Resolver } from 'type-graphql';
import { Article } from '../articles/article.entity.ts';
import { type Columns, one, type ReadContext, ReadField } from '../reading/read-plan.ts';
import { User } from '../users/user.entity.ts';
import { Comment } from './comment.entity.ts';
import { canDeleteCommentSql, canUpdateCommentSql } from './comment.policy.ts';

/** Computed fields of a comment. */
@Resolver(() => Comment)
export class CommentFields {
  @ReadField(() => Int, { description: "Small integer id, the one RealWorld's REST API shows." })
  databaseId(comment: Columns<Comment>) {
    return comment.id;
  }

  @ReadField(() => User, { nullable: true, description: 'Null when the account was deleted.' })
  author(comment: Columns<Comment>) {
    return one(User, { id: comment.author });
  }

  @ReadField(() => Article, { description: 'What it is about.' })
  article(comment: Columns<Comment>) {
    return one(Article, { id: comment.article });
  }

  @ReadField(() => Boolean, { description: 'Whether the signed-in user may change it; false when signed out.' })
  viewerCanUpdate(comment: Columns<Comment>, { viewer }: ReadContext) {
    return viewer !== null && canUpdateCommentSql(viewer, comment);
  }

  @ReadField(() => Boolean, {
    description: 'Whether the signed-in user may delete it: its author, or that of the article. False when signed out.',
  })
  viewerCanDelete(comment: Columns<Comment>, { viewer }: ReadContext) {
    return viewer !== null && canDeleteCommentSql(viewer, comment);
  }
}
