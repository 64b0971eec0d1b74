import { isStorable } from '../database/storable.ts';
import { BadUserInput } from '../graphql/errors.ts';
import { type Order, OrderDirection } from '../reading/page-args.ts';
import { type Columns, type Condition, equal, exists, links, pick } from '../reading/read-plan.ts';
import { type Sql, sql } from '../reading/sql.ts';
import { Tag } from '../tags/tag.entity.ts';
import { User } from '../users/user.entity.ts';
import { userWhere } from '../users/user.repository.ts';
import type { Article } from './article.entity.ts';
import { type ArticleFilter, type ArticleOrder, ArticleOrderField } from './article.input.ts';
import { ARTICLE_LIMITS } from './article.limits.ts';
import { ArticleTag } from './article-tag.entity.ts';
import { Favorite } from './favorite.entity.ts';

/** What lists of articles are made of: their filters and their orders. */

/** Of a filter: the tags and the users by which articles are reached. */
export function articleFilterLinks(filter?: ArticleFilter | null) {
  const { tag, favoritedBy, tagsAny, tagsAll } = filter ?? {};
  refuseMoreThan(ARTICLE_LIMITS.tagsInFilter, { tagsAny, tagsAll });
  const names = [tag ?? [], tagsAll ?? []].flat();
  return [
    ...names.map((name) => links(ArticleTag, { tag: pick(Tag, 'id', { name }) }, 'article')),
    ...(favoritedBy == null ? [] : [links(Favorite, { user: idOfUser(favoritedBy) }, 'article')]),
    ...(tagsAny == null ? [] : [links(ArticleTag, (carried) => isAnyOf(tagsAny, carried.tag), 'article')]),
  ];
}

/** The rest of it. */
export function articleFilterConditions(
  article: Columns<Article>,
  filter?: ArticleFilter | null,
): Condition<Article>[] {
  const { author, publishedAfter, publishedBefore } = filter ?? {};
  return [
    author == null || { author: idOfUser(author) },
    publishedAfter == null || sql`${article.publishedAt} > ${publishedAfter}`,
    publishedBefore == null || sql`${article.publishedAt} < ${publishedBefore}`,
  ];
}

export function articleOrder(orderBy?: ArticleOrder | null): Order<Article> {
  const { field, direction } = orderBy ?? { field: ArticleOrderField.PUBLISHED_AT, direction: OrderDirection.DESC };
  return { name: field, direction, by: orderedBy[field] };
}

const orderedBy: Record<ArticleOrderField, keyof Article & string> = {
  PUBLISHED_AT: 'publishedAt',
  UPDATED_AT: 'updatedAt',
  FAVORITES_COUNT: 'favoritesCount',
  COMMENTS_COUNT: 'commentsCount',
  TITLE: 'title',
};

const isAnyOf = (names: readonly string[], id: Sql) =>
  exists(Tag, (tag) => [equal(tag.id, id), sql`${tag.name} = any(${names.filter(isStorable)})`]);

const idOfUser = (username: string) => pick(User, 'id', userWhere({ username }));

function refuseMoreThan(most: number, lists: Record<string, readonly string[] | null | undefined>): void {
  for (const [name, list] of Object.entries(lists)) {
    if (list && list.length > most) {
      throw new BadUserInput(`filter.${name} has ${list.length} items; it must have at most ${most}.`);
    }
  }
}
