import { Extensions, Int, Resolver } from 'type-graphql';
import { Article } from '../articles/article.entity.ts';
import { BODY_HTML, bodyHtmlSql } from '../markdown/rendered-fields.ts';
import { type Columns, one, type ReadContext, ReadField } from '../reading/read-plan.ts';
import { User } from '../users/user.entity.ts';
import { Comment } from './comment.entity.ts';
import { COMMENT_LIMITS } from './comment.limits.ts';
import { canDeleteCommentSql, canUpdateCommentSql } from './comment.policy.ts';

/** Computed fields of a comment. */
@Resolver(() => Comment)
export class CommentFields {
  @ReadField(() => Int, { description: "Small integer id, the one RealWorld's REST API shows." })
  databaseId(comment: Columns<Comment>) {
    return comment.id;
  }

  @Extensions({ maxCharacters: COMMENT_LIMITS.body })
  @ReadField(() => String, { description: BODY_HTML })
  bodyHtml(comment: Columns<Comment>) {
    return bodyHtmlSql(comment);
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
