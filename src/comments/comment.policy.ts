import type { SignedIn } from '../auth/context.ts';
import type { Comment } from './comment.entity.ts';

export const canUpdateComment = (viewer: SignedIn, comment: Comment): boolean => comment.isWrittenBy(viewer);

/** An author keeps house under their own article. RealWorld lets only the comment's author delete it. */
export const canDeleteComment = (viewer: SignedIn, comment: Comment): boolean =>
  comment.isWrittenBy(viewer) || comment.article.isWrittenBy(viewer);
