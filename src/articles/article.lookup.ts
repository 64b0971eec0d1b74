import type { EntityManager } from '@mikro-orm/postgresql';
import { isStorable } from '../database/storable.ts';
import { localId } from '../server/node.ts';
import { NotFoundError, Refusal, ResourceKind } from '../server/user-errors.ts';
import { Article } from './article.entity.ts';
import type { ArticleBy } from './article.input.ts';
import { distinctSlugOf, slugOf } from './slug.ts';

/** The condition under which an article is meant; false when it can be none. */
export function articleBy({ id, slug }: ArticleBy): { id: number } | { slug: string } | false {
  if (slug != null) return isStorable(slug) && { slug };
  const row = localId('Article', id ?? '');
  return row !== null && { id: row };
}

export async function findArticle(em: EntityManager, by: ArticleBy, path = ['input', 'article']): Promise<Article> {
  const where = articleBy(by);
  const article = where && (await em.findOne(Article, where));
  if (!article) throw new Refusal(new NotFoundError(ResourceKind.ARTICLE, path));
  return article;
}

/**
 * The same for whoever changes or deletes it: they take turns, until the transaction ends. A change lets through who only
 * refers to the article, as new comments and favourites do; they would else be waited for in a circle.
 */
export async function findArticleAlone(em: EntityManager, by: ArticleBy, to: 'change' | 'delete'): Promise<Article> {
  const article = await findArticle(em, by);
  const lock = to === 'change' ? 'for no key update' : 'for update';
  await em.execute(`select from articles where id = ? ${lock}`, [article.id]);
  if (!(await em.refresh(article))) throw new Refusal(new NotFoundError(ResourceKind.ARTICLE, ['input', 'article']));
  return article;
}

/** The slug of the title, or one with an ending where somebody has that. Two at once may still meet: the table says so. */
export async function freeSlug(em: EntityManager, title: string): Promise<string> {
  const slug = slugOf(title);
  const taken = slug === '' || (await em.count(Article, { slug })) > 0;
  return taken ? distinctSlugOf(title) : slug;
}
