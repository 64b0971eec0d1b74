import { sql } from 'kysely';
import { isStorable } from '../database/storable.ts';
import { type Order, OrderDirection } from '../reading/page.ts';
import { type Condition, equal, exists, pick, type Row } from '../reading/reading.ts';
import { BadUserInput } from '../server/errors.ts';
import { Tag } from '../tags/tag.entity.ts';
import { User } from '../users/user.entity.ts';
import { userBy } from '../users/user.lookup.ts';
import type { Article } from './article.entity.ts';
import { type ArticleFilter, type ArticleOrder, ArticleOrderField } from './article.input.ts';
import { ArticleTag } from './article-tag.entity.ts';
import { Favorite } from './favorite.entity.ts';

/** What lists of articles are made of: their filters and their orders. */

export function articlesMatching(article: Row<Article>, filter?: ArticleFilter | null): Condition<Article> {
  const { tag, author, favoritedBy, tagsAny, tagsAll, publishedAfter, publishedBefore } = filter ?? {};
  refuseMoreThan(20, { tagsAny, tagsAll });
  return [
    tag == null || carriesAny(article, [tag]),
    author == null || { author: idOfUser(author) },
    favoritedBy == null || exists(Favorite, { article: article.id, user: idOfUser(favoritedBy) }),
    tagsAny == null || carriesAny(article, tagsAny),
    tagsAll == null || tagsAll.map((name) => carriesAny(article, [name])),
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

const carriesAny = (article: Row<Article>, names: readonly string[]) =>
  exists(ArticleTag, (carried) => [
    { article: article.id },
    exists(Tag, (tag) => [equal(tag.id, carried.tag), sql`${tag.name} = any(${names.filter(isStorable)})`]),
  ]);

const idOfUser = (username: string) => pick(User, 'id', userBy({ username }));

function refuseMoreThan(most: number, lists: Record<string, readonly string[] | null | undefined>): void {
  for (const [name, list] of Object.entries(lists)) {
    if (list && list.length > most) {
      throw new BadUserInput(`filter.${name} has ${list.length} items; it must have at most ${most}.`);
    }
  }
}
