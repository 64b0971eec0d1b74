import { isStorable } from '../../database/storable.ts';
import { BadUserInput } from '../../graphql/errors.ts';
import { type Order, OrderDirection } from '../../reading/page-args.ts';
import { type Columns, type Condition, equal, exists, links, pick } from '../../reading/read-plan.ts';
import { type Sql, sql } from '../../reading/sql.ts';
import { Tag } from '../../tags/tag.entity.ts';
import { tagName } from '../../tags/tag.repository.ts';
import { User } from '../../users/user.entity.ts';
import { userWhere } from '../../users/user.repository.ts';
import type { Article } from '../article.entity.ts';
import { type ArticleFilter, type ArticleListArgs, type ArticleOrder, ArticleOrderField } from '../article.input.ts';
import { ARTICLE_LIMITS } from '../article.limits.ts';
import { ArticleTag } from '../article-tag.entity.ts';
import { Favorite } from '../favorite.entity.ts';
import { articleTextMatches, isBlankQuery, matches, relevance } from '../search/article-matches.ts';

/** The filters and orders of article lists. */

/** The conditions of a filter on words, tags and favourites, as links that lead to articles. */
export function articleFilterLinks(filter?: ArticleFilter | null) {
  const { tag, favoritedBy, tagsAny, tagsAll, query } = filter ?? {};
  requireAtMost(ARTICLE_LIMITS.tagsInFilter, { tagsAny, tagsAll });
  const names = [tag ?? [], tagsAll ?? []].flat();
  return [
    ...(isBlankQuery(query) ? [] : [matches(query)]),
    ...names.map((name) => links(ArticleTag, { tag: pick(Tag, 'id', { name: tagName(name) }) }, 'article')),
    ...(favoritedBy == null ? [] : [links(Favorite, { user: userIdOf(favoritedBy) }, 'article')]),
    ...(tagsAny == null ? [] : [links(ArticleTag, (carried) => isNamedAnyOf(tagsAny, carried.tag), 'article')]),
  ];
}

/** The other conditions of a filter, on the articles themselves. */
export function articleFilterConditions(
  article: Columns<Article>,
  filter?: ArticleFilter | null,
): Condition<Article>[] {
  const { author, publishedAfter, publishedBefore, updatedAfter, updatedBefore } = filter ?? {};
  return [
    author == null || { author: userIdOf(author) },
    publishedAfter == null || sql`${article.publishedAt} > ${publishedAfter}`,
    publishedBefore == null || sql`${article.publishedAt} < ${publishedBefore}`,
    updatedAfter == null || sql`${article.updatedAt} > ${updatedAfter}`,
    updatedBefore == null || sql`${article.updatedAt} < ${updatedBefore}`,
  ];
}

/** The order of a list; by relevance if it has a query and no order. */
export function articleOrder(orderBy?: ArticleOrder | null, filter?: ArticleFilter | null): Order<Article> {
  const preset = isBlankQuery(filter?.query) ? ArticleOrderField.PUBLISHED_AT : ArticleOrderField.RELEVANCE;
  const { field, direction } = orderBy ?? { field: preset, direction: OrderDirection.DESC };
  if (field === ArticleOrderField.RELEVANCE) return relevance(filter?.query, direction);
  return { name: field, direction, by: ORDER_PROPERTIES[field] };
}

/** The parts of a page of articles that the arguments of a list decide. */
export const articleListParts = ({ filter, orderBy, ...args }: ArticleListArgs) => ({
  through: articleFilterLinks(filter),
  order: articleOrder(orderBy, filter),
  textMatches: articleTextMatches(filter?.query),
  args,
});

const ORDER_PROPERTIES: Record<Exclude<ArticleOrderField, ArticleOrderField.RELEVANCE>, keyof Article & string> = {
  PUBLISHED_AT: 'publishedAt',
  UPDATED_AT: 'updatedAt',
  FAVORITES_COUNT: 'favoritesCount',
  COMMENTS_COUNT: 'commentsCount',
  READ_COUNT: 'readCount',
  TITLE: 'title',
};

const isNamedAnyOf = (names: readonly string[], id: Sql) =>
  exists(Tag, (tag) => [equal(tag.id, id), sql`${tag.name} = any(${names.filter(isStorable).map(tagName)})`]);

const userIdOf = (username: string) => pick(User, 'id', userWhere({ username }));

function requireAtMost(most: number, lists: Record<string, readonly string[] | null | undefined>): void {
  for (const [name, list] of Object.entries(lists)) {
    if (list && list.length > most) {
      throw new BadUserInput(`filter.${name} has ${list.length} items; it must have at most ${most}.`);
    }
  }
}
