import { isDeepStrictEqual } from 'node:util';
import { type EntityManager, raw } from '@mikro-orm/postgresql';
import type { Context } from '../auth/context.ts';
import { localId } from '../graphql/node.ts';
import { NotFoundError, Refusal, ResourceKind } from '../graphql/user-errors.ts';
import { findId } from '../reading/find-id.ts';
import { type PickedColumn, pick } from '../reading/read-plan.ts';
import { upsertTags } from '../tags/tag.repository.ts';
import { Article, type ArticleContent } from './article.entity.ts';
import type { ArticleBy } from './article.input.ts';
import { ARTICLE_LIMITS } from './article.limits.ts';
import { ArticleSlug } from './article-slug.entity.ts';
import { ArticleStatus } from './article-status.ts';
import { hasSuffix, isUsable, slugify, slugifyWithSuffix } from './slug.ts';

/** The condition that finds the article; false when none can match. */
export function articleWhere({ id, slug }: ArticleBy): { id: number | PickedColumn } | false {
  if (slug != null) return slug.length <= ARTICLE_LIMITS.slug && { id: pick(ArticleSlug, 'article', { slug }) };
  const row = localId('Article', id ?? '');
  return row !== null && { id: row };
}

/** The id of the article, if the viewer may see it. Do not call it in a transaction: see `findId`. */
export async function findArticleId(context: Context, by: ArticleBy, path = ['input', 'article']): Promise<number> {
  const id = await findId(context, Article, articleWhere(by));
  if (id === null) throw new Refusal(new NotFoundError(ResourceKind.ARTICLE, path));
  return id;
}

/** A reference to the article for mutations that only link to it; its row is not loaded. */
export const articleReference = async (context: Context, by: ArticleBy): Promise<Article> =>
  context.em.getReference(Article, await findArticleId(context, by));

/**
 * Locks the row of the article until the transaction ends, and loads it. PostgreSQL takes the lock of a change of the slug, which
 * is a key, as that of a deletion: taken at once it waits for new comments and favourites, taken later it would deadlock with them.
 * Any other change need not wait for them.
 */
export async function lockArticle(
  em: EntityManager,
  id: number,
  to: 'change' | 'change the slug' | 'delete',
): Promise<Article> {
  const lock = to === 'change' ? 'for no key update' : 'for update';
  await em.execute(`select from articles where id = ? ${lock}`, [id]);
  const article = await em.findOne(Article, id);
  if (!article) throw new Refusal(new NotFoundError(ResourceKind.ARTICLE, ['input', 'article']));
  return article;
}

/** Gives the article these tags, in this order; false when it has them already. */
export async function replaceTags(em: EntityManager, article: Article, names: readonly string[]): Promise<boolean> {
  await article.tags.init();
  const before = article.tags.map(({ name }) => name);
  if (isDeepStrictEqual(names, before)) return false;
  // Removed tags are locked together with the new ones, since the triggers update both.
  const tags = await upsertTags(em, [...new Set([...names, ...before])]);
  article.tags.set(tags.slice(0, names.length));
  return true;
}

/** The slug that the article gets with these changes; nothing when it keeps its own. */
export function slugAfter(article: Article, changes: Partial<ArticleContent>): { slug?: string } {
  const { title, status } = { ...article, ...changes };
  const isPublic = status === ArticleStatus.PUBLISHED;
  const isPublishing = isPublic && article.status === ArticleStatus.DRAFT;
  if (!isPublishing && slugify(title) === slugify(article.title)) return {};
  return { slug: articleSlug(title, isPublic, article) };
}

/** The slug of a new title. That of a draft ends at random, so that the slugs of other articles do not show what it is called. */
export const articleSlug = (title: string, isPublic: boolean, article?: Article): string =>
  isPublic ? uniqueSlug(title, article) : slugifyWithSuffix(title);

/**
 * The slug of the title, or one with a random suffix if another article has or had that, which the statement that writes it
 * decides. Two statements at once may still choose the same slug; the second then violates the unique constraint and is
 * retried.
 */
function uniqueSlug(title: string, article?: Article): string {
  const slug = slugify(title);
  const withSuffix = article && hasSuffix(article.slug, title) ? article.slug : slugifyWithSuffix(title);
  if (!isUsable(slug)) return withSuffix;
  return raw<string>(
    'case when exists (select from article_slugs where slug = ? and article_id <> ?) then ? else ? end',
    [slug, article?.id ?? 0, withSuffix, slug],
  );
}
