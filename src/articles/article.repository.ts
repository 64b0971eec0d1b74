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

/** The condition under which an article is meant; false when it can be none. */
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
 * Stands for the article in the unit of work of whoever only refers to it; nothing of it is loaded. Not in a transaction,
 * which has a connection already: all might wait for a second one.
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
 * The same for whoever changes or deletes it: they take turns, until the transaction ends. A change lets through who only
 * refers to the article, as new comments and favourites do; they would else be waited for in a circle.
 */
export async function lockArticle(em: EntityManager, by: ArticleBy, to: 'change' | 'delete'): Promise<Article> {
  const article = await findArticle(em, by);
  const lock = to === 'change' ? 'for no key update' : 'for update';
  await em.execute(`select from articles where id = ? ${lock}`, [article.id]);
  if (!(await em.refresh(article))) throw new Refusal(new NotFoundError(ResourceKind.ARTICLE, ['input', 'article']));
  return article;
}

/**
 * The slug of the title, or one with an ending where somebody has that: the statement that writes it finds out. Two at once
 * may still meet: the table says so.
 */
export function uniqueSlug(title: string): string {
  const [slug, distinct] = [slugify(title), slugifyWithSuffix(title)];
  if (slug === '') return distinct;
  return raw<string>('case when exists (select from articles where slug = ?) then ? else ? end', [
    slug,
    distinct,
    slug,
  ]);
}
