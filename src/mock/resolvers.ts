import type { PageArgs } from '../reading/page-args.ts';
import { type Article, type Blog, type Comment, page, sameName, type Tag, type User } from './blog.ts';
import { mutationsOf } from './mutations.ts';

/** What the mock server answers, by type and field; a field that is not here is a property. */
export function resolversOf(blog: Blog) {
  const followers = (user: User) => blog.follows.filter(({ to }) => to === user).map(({ from }) => from);
  const following = (user: User) => blog.follows.filter(({ from }) => from === user).map(({ to }) => to);
  const favorites = (user: User) => blog.favorites.filter(({ from }) => from === user).map(({ to }) => to);
  const fans = (article: Article) => blog.favorites.filter(({ to }) => to === article).map(({ from }) => from);
  const written = (user: User) => blog.articles.filter(({ author }) => author === user);
  const carrying = ({ name }: Tag) => blog.articles.filter(({ tagList }) => tagList.includes(name));
  const comments = (article: Article) => blog.comments.filter((comment) => comment.article === article);
  const isAuthor = ({ author }: Article | Comment, _: unknown, { viewer }: Asking) => viewer === author && !!viewer;
  const find = (id: string) =>
    [...blog.users, ...blog.articles, ...blog.comments, ...blog.tags()].find((thing) => thing.id === id) ?? null;

  function articles(all: readonly Article[], { filter, orderBy, ...args }: ListArgs, field: string) {
    const { author, favoritedBy, tag, tagsAny, tagsAll, publishedAfter, publishedBefore } = filter ?? {};
    const matching = all.filter(
      (article) =>
        (author == null || sameName(article.author, author)) &&
        (favoritedBy == null || fans(article).some((fan) => sameName(fan, favoritedBy))) &&
        (tag == null || article.tagList.includes(tag)) &&
        (tagsAny == null || tagsAny.some((name) => article.tagList.includes(name))) &&
        (tagsAll == null || tagsAll.every((name) => article.tagList.includes(name))) &&
        (publishedAfter == null || article.publishedAt > new Date(publishedAfter)) &&
        (publishedBefore == null || article.publishedAt < new Date(publishedBefore)),
    );
    const keys: Record<string, (article: Article) => SortKey> = {
      PUBLISHED_AT: ({ publishedAt }) => publishedAt,
      UPDATED_AT: ({ updatedAt }) => updatedAt,
      FAVORITES_COUNT: (article) => fans(article).length,
      COMMENTS_COUNT: (article) => comments(article).length,
      TITLE: ({ title }) => title,
    };
    return page(ordered(matching, keys, orderBy ?? { field: 'PUBLISHED_AT', direction: 'DESC' }), args, field);
  }

  return {
    Query: {
      viewer: (_: unknown, _args: unknown, { viewer }: Asking) => viewer && { email: viewer.email, user: viewer },
      article: (_: unknown, { by }: { by: { id?: string; slug?: string } }) =>
        blog.articles.find(({ id, slug }) => id === by.id || slug === by.slug),
      articles: (_: unknown, args: ListArgs) => articles(blog.articles, args, 'articles'),
      user: (_: unknown, { by }: { by: { id?: string; username?: string } }) =>
        by.username === undefined ? blog.users.find(({ id }) => id === by.id) : blog.userNamed(by.username),
      tag: (_: unknown, { name }: { name: string }) => blog.tags().find((tag) => tag.name === name),
      tags(_: unknown, { prefix, orderBy, ...args }: ListArgs & { prefix?: string | null }) {
        const found = blog.tags().filter(({ name }) => name.toLowerCase().startsWith((prefix ?? '').toLowerCase()));
        const keys = { NAME: ({ name }: Tag) => name, ARTICLES_COUNT: (tag: Tag) => carrying(tag).length };
        return page(ordered(found, keys, orderBy ?? { field: 'ARTICLES_COUNT', direction: 'DESC' }), args, 'tags');
      },
      node: (_: unknown, { id }: { id: string }) => find(id),
      nodes: (_: unknown, { ids }: { ids: string[] }) => ids.map(find),
    },
    Mutation: mutationsOf(blog),
    Viewer: {
      feed: ({ user }: { user: User }, args: PageArgs) =>
        articles(
          blog.articles.filter(({ author }) => following(user).includes(author)),
          args,
          'feed',
        ),
    },
    User: {
      isViewer: (user: User, _: unknown, { viewer }: Asking) => viewer === user,
      viewerIsFollowing: (user: User, _: unknown, { viewer }: Asking) => !!viewer && followers(user).includes(viewer),
      articles: (user: User, args: ListArgs) => articles(written(user), args, 'articles'),
      articlesCount: (user: User) => written(user).length,
      favorites: (user: User, args: PageArgs) => page(favorites(user), args, 'favorites'),
      followers: (user: User, args: PageArgs) => page(followers(user), args, 'followers'),
      followersCount: (user: User) => followers(user).length,
      following: (user: User, args: PageArgs) => page(following(user), args, 'following'),
      followingCount: (user: User) => following(user).length,
    },
    Article: {
      tags: ({ tagList }: Article) => tagList.map((name) => blog.tags().find((tag) => tag.name === name)),
      comments(article: Article, { orderBy, ...args }: ListArgs) {
        const keys = { CREATED_AT: ({ createdAt }: Comment) => createdAt };
        const order = orderBy ?? { field: 'CREATED_AT', direction: 'ASC' };
        return page(ordered(comments(article), keys, order), args, 'comments');
      },
      commentsCount: (article: Article) => comments(article).length,
      favoritesCount: (article: Article) => fans(article).length,
      viewerHasFavorited: (article: Article, _: unknown, { viewer }: Asking) =>
        !!viewer && fans(article).includes(viewer),
      viewerCanUpdate: isAuthor,
      viewerCanDelete: isAuthor,
    },
    Comment: {
      viewerCanUpdate: isAuthor,
      viewerCanDelete: (comment: Comment, _: unknown, asking: Asking) =>
        isAuthor(comment, _, asking) || isAuthor(comment.article, _, asking),
    },
    Tag: {
      articles: (tag: Tag, args: ListArgs) => articles(carrying(tag), args, 'articles'),
      articlesCount: (tag: Tag) => carrying(tag).length,
    },
  };
}

/** Who asks; null is a guest. Signing in changes it for what follows in the same document. */
export interface Asking {
  viewer: User | null;
}

interface ListArgs extends PageArgs {
  orderBy?: { field: string; direction: string } | null;
  filter?: {
    author?: string;
    favoritedBy?: string;
    tag?: string;
    tagsAny?: string[];
    tagsAll?: string[];
    publishedAfter?: string;
    publishedBefore?: string;
  } | null;
}

type SortKey = Date | number | string;

/** Ties stay as they are: newest first. */
function ordered<T>(
  all: readonly T[],
  keys: Record<string, (item: T) => SortKey>,
  { field, direction }: { field: string; direction: string },
): T[] {
  const key = keys[field] ?? (() => 0);
  const sign = direction === 'ASC' ? 1 : -1;
  return all.toSorted((left, right) => sign * (key(left) < key(right) ? -1 : key(left) > key(right) ? 1 : 0));
}
