import { ArticleStatus } from '../../articles/article-status.ts';
import type { DemoArticle } from './articles.ts';
import { PEOPLE } from './people.ts';
import { stableRandom } from './stable-random.ts';

const NAMES = Object.keys(PEOPLE);

/** The follows of the demo blog: each user follows about half of the others. */
export const demoFollows = () =>
  NAMES.flatMap((follower) =>
    NAMES.filter((followed) => followed !== follower && stableRandom(follower, 'follows', followed) < 55).map(
      (followed) => ({
        follower,
        followed,
        createdAt: new Date(
          Date.UTC(2026, 0, 20 + (stableRandom(follower, followed) % 10), 18, stableRandom(followed, follower) % 60),
        ),
      }),
    ),
  );

/** The favourites of an article. Some articles are favourites of almost all users, some of almost none. */
export function demoFavorites({ slug, author, status, createdAt }: DemoArticle) {
  if (status === ArticleStatus.DRAFT) return [];
  const appeal = stableRandom('appeal', slug);
  return NAMES.filter((name) => name !== author && stableRandom(name, 'likes', slug) < appeal).map((user) => ({
    user,
    createdAt: new Date(createdAt.getTime() + (1 + stableRandom(user, 'finds', slug)) * 37 * 60_000),
  }));
}

/** How often an article was read. Favourites were read more often. */
export const demoReadCount = ({ slug, status }: Pick<DemoArticle, 'slug' | 'status'>): number =>
  status === ArticleStatus.DRAFT ? 0 : 12 * stableRandom('appeal', slug) + stableRandom('reads', slug);
