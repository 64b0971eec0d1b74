import { Int, Resolver } from 'type-graphql';
import { Article } from '../articles/article.entity.ts';
import { type Columns, equal, exists, one, type ReadContext, ReadField } from '../reading/read-plan.ts';
import { sql } from '../reading/sql.ts';
import { User } from '../users/user.entity.ts';
import { Comment } from './comment.entity.ts';

/** What is computed of a comment. */
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
    return viewer !== null && isWrittenBy(viewer, comment);
  }

  @ReadField(() => Boolean, {
    description: 'Whether the signed-in user may delete it: its author, or that of the article. False when signed out.',
  })
  viewerCanDelete(comment: Columns<Comment>, { viewer }: ReadContext) {
    return (
      viewer !== null &&
      exists(Article, (article) => [
        { id: comment.article },
        sql`(${isWrittenBy(viewer, comment)} or ${equal(article.author, viewer.id)})`,
      ])
    );
  }
}

/** Of a comment without an author it is false, where `=` would be null. */
const isWrittenBy = (viewer: { id: number }, comment: Columns<Comment>) =>
  sql`${comment.author} is not distinct from ${viewer.id}`;
