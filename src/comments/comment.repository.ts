import type { EntityManager } from '@mikro-orm/postgresql';
import { findArticle } from '../articles/article.repository.ts';
import { localId } from '../graphql/node.ts';
import { NotFoundError, Refusal, ResourceKind } from '../graphql/user-errors.ts';
import { Comment } from './comment.entity.ts';
import type { CommentBy } from './comment.input.ts';

/** Finds a comment with its article. As in RealWorld, an unknown article is reported before an unknown comment. */
export async function findComment(em: EntityManager, { id, inArticle }: CommentBy): Promise<Comment> {
  const path = ['input', 'comment'];
  const article = inArticle && (await findArticle(em, { slug: inArticle.slug }, [...path, 'inArticle', 'slug']));
  const where = article ? { id: inArticle.databaseId, article } : { id: localId('Comment', id ?? '') ?? 0 };
  const comment = await em.findOne(Comment, where, { populate: ['article'] });
  if (!comment) throw new Refusal(new NotFoundError(ResourceKind.COMMENT, path));
  return comment;
}
