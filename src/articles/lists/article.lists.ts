import { COLLATION } from '../../database/collation.ts';
import { isStorable } from '../../database/storable.ts';
import { BadUserInput } from '../../graphql/errors.ts';
import { type Order, OrderDirection } from '../../reading/page-args.ts';
import { type Columns, type Condition, equal, exists, links, pick } from '../../reading/read-plan.ts';
import { type Sql, sql } from '../../reading/sql.ts';
import { Tag } from '../../tags/tag.entity.ts';
import { tagIds, tagName } from '../../tags/tag.repository.ts';
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
function articleFilterLinks(filter?: ArticleFilter | null) {
  const { tag, favoritedBy, tagsAny, tagsAll, query } = filter ?? {};
  requireAtMost(ARTICLE_LIMITS.tagsInFilter, { tagsAny, tagsAll });
  return [
    ...(isBlankQuery(query) ? [] : [matches(query)]),
    ...(isTagged(filter) ? [linksOfAll([tag ?? [], tagsAll ?? []].flat(), filter)] : []),
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

/** The order of a list whose first links are those of one tag. By date, the links are read in order, since they have the date too. */
export function taggedOrder(orderBy?: ArticleOrder | null): Order<Article> | Order<Article, ArticleTag> {
  const order = articleOrder(orderBy);
  return order.by === 'publishedAt' ? { ...order, by: { link: 'publishedAt' } } : order;
}

/** The links of one tag that lead to published articles. */
export const linksOfTag = (tag: Sql) => publishedLinks((carried) => isListed(carried, tag));

/** The order of a list; by relevance if it has a query and no order. */
export function articleOrder(orderBy?: ArticleOrder | null, filter?: ArticleFilter | null): Order<Article> {
  const preset = isBlankQuery(filter?.query) ? ArticleOrderField.PUBLISHED_AT : ArticleOrderField.RELEVANCE;
  const { field, direction } = orderBy ?? { field: preset, direction: OrderDirection.DESC };
  if (field === ArticleOrderField.RELEVANCE) return relevance(filter?.query, direction);
  const by = ORDER_PROPERTIES[field];
  return { name: field, direction, by, ...(by === 'title' && { collation: COLLATION }) };
}

/** The parts of a page of articles that depend on the arguments of a list. */
export const articleListParts = ({ filter, orderBy, ...args }: ArticleListArgs) => ({
  through: articleFilterLinks(filter),
  order: isTagged(filter) && isBlankQuery(filter.query) ? taggedOrder(orderBy) : articleOrder(orderBy, filter),
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

const isTagged = (filter?: ArticleFilter | null): filter is ArticleFilter =>
  filter != null && (filter.tag != null || (filter.tagsAll ?? []).length > 0);

/**
 * Starts from the rarest tag and looks up the others, so that tags without a common article take no longer than the rarest has
 * articles. The dates are compared here too, since PostgreSQL does not know that a link has the date of its article.
 */
function linksOfAll(names: readonly string[], { publishedAfter, publishedBefore }: ArticleFilter) {
  const ids = tagIds(names);
  return publishedLinks((carried) => [
    ...isListed(carried, sql`(${ids})[1]`),
    publishedAfter == null || sql`${carried.publishedAt} > ${publishedAfter}`,
    publishedBefore == null || sql`${carried.publishedAt} < ${publishedBefore}`,
    names.length === 1 || leadsToEach(sql`(${ids})[2:]`, carried),
  ]);
}

const publishedLinks = (where: (carried: Columns<ArticleTag>) => Condition<ArticleTag>) =>
  links<ArticleTag, Article>(ArticleTag, where, 'article', 'id', { copied: ['publishedAt'] });

const isListed = (carried: Columns<ArticleTag>, tag: Sql) => [
  equal(carried.tag, tag),
  sql`${carried.publishedAt} is not null`,
];

/**
 * Whether the article carries these tags too. With its date, the links of each tag are looked up in the order in which the index has
 * them, which is several times as fast. `offset 0` keeps PostgreSQL from reading all links of the tags, to join them.
 */
const leadsToEach = (tags: Sql, { article, publishedAt }: Columns<ArticleTag>) =>
  sql`not exists(select from unnest(${tags}) as other (id) where not exists(select from article_tags
    where tag_id = other.id and published_at = ${publishedAt} and article_id = ${article} offset 0) offset 0)`;

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
