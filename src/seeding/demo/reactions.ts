import type { DemoArticle } from './articles.ts';
import { PEOPLE } from './people.ts';
import { draw } from './stable-random.ts';

const NAMES = Object.keys(PEOPLE);

/** Who follows whom in the demo blog: each some half of the others. */
export const demoFollows = () =>
  NAMES.flatMap((follower) =>
    NAMES.filter((followed) => followed !== follower && draw(follower, 'follows', followed) < 55).map((followed) => ({
      follower,
      followed,
      createdAt: new Date(Date.UTC(2026, 0, 20 + (draw(follower, followed) % 10), 18, draw(followed, follower) % 60)),
    })),
  );

/** Who likes the article, and since when. Some articles are liked by nearly all, some by nearly nobody. */
export function demoFavorites({ slug, author, publishedAt }: DemoArticle) {
  const appeal = draw('appeal', slug);
  return NAMES.filter((name) => name !== author && draw(name, 'likes', slug) < appeal).map((user) => ({
    user,
    createdAt: new Date(publishedAt.getTime() + (1 + draw(user, 'finds', slug)) * 37 * 60_000),
  }));
}
