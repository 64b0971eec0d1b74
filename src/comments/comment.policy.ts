import { Article } from '../articles/article.entity.ts';
import type { SignedIn } from '../auth/context.ts';
import { type Columns, type Exists, equal, exists } from '../reading/read-plan.ts';
import { type Sql, sql } from '../reading/sql.ts';
import type { Comment } from './comment.entity.ts';

/** Who may change and delete a comment: for a loaded entity, and in SQL for the columns of a row. */

export const canUpdateComment = (viewer: SignedIn, comment: Comment): boolean => comment.isWrittenBy(viewer);

/** False for a comment without an author, where `=` would be null. */
export const canUpdateCommentSql = (viewer: SignedIn, comment: Columns<Comment>): Sql =>
  sql`${comment.author} is not distinct from ${viewer.id}`;

/** An author moderates the comments on their own article. RealWorld lets only the comment's author delete it. */
export const canDeleteComment = (viewer: SignedIn, comment: Comment): boolean =>
  comment.isWrittenBy(viewer) || comment.article.isWrittenBy(viewer);

export const canDeleteCommentSql = (viewer: SignedIn, comment: Columns<Comment>): Exists =>
  exists(Article, (article) => [
    { id: comment.article },
    sql`(${canUpdateCommentSql(viewer, comment)} or ${equal(article.author, viewer.id)})`,
  ]);
