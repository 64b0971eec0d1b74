import { type EntityManager, raw } from '@mikro-orm/postgresql';
import type { Context } from '../auth/context.ts';
import { isStorable } from '../database/storable.ts';
import { localId } from '../graphql/node.ts';
import { NotFoundError, Refusal, ResourceKind } from '../graphql/user-errors.ts';
import { sql } from '../reading/sql.ts';
import { numberedTable } from '../reading/table.ts';
import { Article } from './article.entity.ts';
import type { ArticleBy } from './article.input.ts';
import { ARTICLE_LIMITS } from './article.limits.ts';
import { slugify, slugifyWithSuffix } from './slug.ts';

/** The condition that finds the article; false when none can match. */
export function articleWhere({ id, slug }: ArticleBy): { id: number } | { slug: string } | false {
  if (slug != null) return slug.length <= ARTICLE_LIMITS.slug && isStorable(slug) && { slug };
  const row = localId('Article', id ?? '');
  return row !== null && { id: row };
}

export async function findArticle(em: EntityManager, by: ArticleBy, path = ['input', 'article']): Promise<Article> {
  const where = articleWhere(by);
  const article = where && (await em.findOne(Article, where));
  if (!article) throw new Refusal(new NotFoundError(ResourceKind.ARTICLE, path));
  return article;
}

/**
 * A reference to the article for mutations that only link to it; its row is not loaded. Do not call it in a transaction: it
 * takes a second connection, and transactions that all wait for one would deadlock.
 */
export async function articleReference({ em, reads }: Context, by: ArticleBy): Promise<Article> {
  const { columns, aliased } = numberedTable(em.getMetadata().get(Article), 1);
  const [[property, value] = []] = Object.entries(articleWhere(by));
  const id = property
    ? await reads.value(sql`select ${columns.id} from ${aliased} where ${columns[property]} = ${value}`)
    : null;
  if (id === null) throw new Refusal(new NotFoundError(ResourceKind.ARTICLE, ['input', 'article']));
  return em.getReference(Article, Number(id));
}

/**
 * Finds the article and locks its row until the transaction ends, to change or delete it. The lock for a change does not block
 * foreign keys to the article, so that it does not deadlock with new comments and favourites.
 */
export async function lockArticle(em: EntityManager, by: ArticleBy, to: 'change' | 'delete'): Promise<Article> {
  const article = await findArticle(em, by);
  const lock = to === 'change' ? 'for no key update' : 'for update';
  await em.execute(`select from articles where id = ? ${lock}`, [article.id]);
  if (!(await em.refresh(article))) throw new Refusal(new NotFoundError(ResourceKind.ARTICLE, ['input', 'article']));
  return article;
}

/**
 * The slug of the title, or one with a random suffix if that is taken, which the statement that writes it decides. Two
 * statements at once may still choose the same slug; the second then violates the unique constraint and is retried.
 */
export function uniqueSlug(title: string): string {
  const [slug, withSuffix] = [slugify(title), slugifyWithSuffix(title)];
  if (slug === '') return withSuffix;
  return raw<string>('case when exists (select from articles where slug = ?) then ? else ? end', [
    slug,
    withSuffix,
    slug,
  ]);
}
