import { findArticleId } from '../articles/article.repository.ts';
import type { Context } from '../auth/context.ts';
import { localId } from '../graphql/node.ts';
import { NotFoundError, Refusal, ResourceKind } from '../graphql/user-errors.ts';
import { findId } from '../reading/find-id.ts';
import { Comment } from './comment.entity.ts';
import type { CommentBy } from './comment.input.ts';

/** Finds a comment with its article. As in RealWorld, an unknown article is reported before an unknown comment. */
export async function findComment(context: Context, { id, inArticle }: CommentBy): Promise<Comment> {
  const path = ['input', 'comment'];
  const where = inArticle
    ? {
        id: inArticle.databaseId,
        article: await findArticleId(context, { slug: inArticle.slug }, [...path, 'inArticle', 'slug']),
      }
    : { id: localId('Comment', id ?? '') ?? 0 };
  const found = await findId(context, Comment, where);
  const comment = found !== null && (await context.em.findOne(Comment, found, { populate: ['article'] }));
  if (!comment) throw new Refusal(new NotFoundError(ResourceKind.COMMENT, path));
  return comment;
}
