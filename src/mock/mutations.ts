import { articleChanges, articleContent } from '../articles/article.input.ts';
import { slugify } from '../articles/slug.ts';
import { credentials, registration, viewerChanges } from '../auth/account.input.ts';
import { commentContent } from '../comments/comment.input.ts';
import { Unauthenticated } from '../graphql/errors.ts';
import * as refusals from '../graphql/user-errors.ts';
import { validate } from '../graphql/validation.ts';
import type { Article, Blog, Comment, User } from './blog.ts';
import type { Asking } from './resolvers.ts';

/** What people do, by the rules of the real server, but that any password is right. It lasts until the server stops. */
export function mutationsOf(blog: Blog) {
  const article = ({ id, slug }: By, path = ['input', 'article']) =>
    found(
      blog.articles.find((one) => one.id === id || one.slug === slug),
      ResourceKind.ARTICLE,
      path,
    );
  const user = ({ id, username }: By) =>
    found(blog.users.find((one) => one.id === id) ?? blog.userNamed(username ?? ''), ResourceKind.USER, [
      'input',
      'user',
    ]);
  function comment({ id, inArticle }: By): Comment {
    const place = inArticle && { ...inArticle, article: article(inArticle, ['input', 'comment', 'inArticle', 'slug']) };
    const isIt = (one: Comment) =>
      one.id === id || (one.databaseId === place?.databaseId && one.article === place.article);
    return found(blog.comments.find(isIt), ResourceKind.COMMENT, ['input', 'comment']);
  }
  function refuseTaken(account: { username?: string; email?: string }, others: User[]): void {
    const taken = (['username', 'email'] as const).filter((name) =>
      others.some((other) => other[name].toLowerCase() === account[name]?.toLowerCase()),
    );
    if (taken.length > 0) throw new Refusal(...taken.map((name) => new refusals.TakenError(['input', name])));
  }
  function remove(gone: Article): void {
    blog.articles = blog.articles.filter((one) => one !== gone);
    blog.comments = blog.comments.filter((one) => one.article !== gone);
    blog.favorites = blog.favorites.filter(({ to }) => to !== gone);
  }

  const forAll: Record<string, (input: Input, asking: Asking) => object> = {
    register(input, asking) {
      const { password: _, ...account } = validate(registration(RULES), input);
      refuseTaken(account, blog.users);
      return signIn(asking, blog.join(account));
    },
    login(input, asking) {
      const { email } = validate(credentials, input);
      return signIn(
        asking,
        blog.users.find((one) => one.email.toLowerCase() === email.toLowerCase()),
      );
    },
    refreshSession: ({ refreshToken }, asking) =>
      signIn(
        asking,
        blog.users.find(({ id }) => refreshToken === refreshTokenOf(id)),
        ['input', 'refreshToken'],
      ),
  };

  const forSignedIn: Record<string, (input: Input, viewer: User) => object> = {
    logout: () => ({ ok: true }),
    updateViewer(input, viewer) {
      const { password, ...changes } = validate(viewerChanges(RULES), input);
      const others = blog.users.filter((one) => one !== viewer);
      refuseTaken(changes, others);
      Object.assign(viewer, changes);
      return { viewer: { email: viewer.email, user: viewer }, ...(password && tokensOf(viewer)) };
    },
    deleteViewer(_input, viewer) {
      for (const one of blog.articles.filter(({ author }) => author === viewer)) remove(one);
      for (const one of blog.comments) if (one.author === viewer) one.author = null;
      blog.users = blog.users.filter((one) => one !== viewer);
      blog.favorites = blog.favorites.filter(({ from }) => from !== viewer);
      blog.follows = blog.follows.filter(({ from, to }) => from !== viewer && to !== viewer);
      return { deletedId: viewer.id };
    },
    followUser(input, viewer) {
      const to = user(input.user);
      if (to === viewer) {
        throw new Refusal(new refusals.ValidationError(INVALID, "can't be yourself", ['input', 'user']));
      }
      blog.follows = [{ from: viewer, to }, ...without(blog.follows, viewer, to)];
      return { user: to };
    },
    unfollowUser(input, viewer) {
      const to = user(input.user);
      blog.follows = without(blog.follows, viewer, to);
      return { user: to };
    },
    createArticle: (input, viewer) => ({ article: blog.publish(viewer, validate(articleContent, input)) }),
    updateArticle(input, viewer) {
      const changed = article(input.article);
      refusals.allow(changed.author === viewer, ResourceKind.ARTICLE);
      const { title, ...changes } = validate(articleChanges, input);
      const hasNewSlug = title !== undefined && slugify(title) !== slugify(changed.title);
      const slug = hasNewSlug ? blog.freeSlug(title) : changed.slug;
      Object.assign(changed, changes, title !== undefined && { title }, { slug, updatedAt: new Date() });
      return { article: changed };
    },
    deleteArticle(input, viewer) {
      const gone = article(input.article);
      refusals.allow(gone.author === viewer, ResourceKind.ARTICLE);
      remove(gone);
      return { deletedId: gone.id, deletedSlug: gone.slug };
    },
    favoriteArticle(input, viewer) {
      const to = article(input.article);
      blog.favorites = [{ from: viewer, to }, ...without(blog.favorites, viewer, to)];
      return { article: to };
    },
    unfavoriteArticle(input, viewer) {
      const to = article(input.article);
      blog.favorites = without(blog.favorites, viewer, to);
      return { article: to };
    },
    addComment(input, viewer) {
      const to = article(input.article);
      const { body } = validate(commentContent, input);
      return { comment: blog.say(viewer, to, body), article: to };
    },
    updateComment(input, viewer) {
      const changed = comment(input.comment);
      refusals.allow(changed.author === viewer, ResourceKind.COMMENT);
      Object.assign(changed, validate(commentContent, input), { updatedAt: new Date() });
      return { comment: changed, article: changed.article };
    },
    deleteComment(input, viewer) {
      const gone = comment(input.comment);
      refusals.allow([gone.author, gone.article.author].includes(viewer), ResourceKind.COMMENT);
      blog.comments = blog.comments.filter((one) => one !== gone);
      return { deletedId: gone.id, article: gone.article };
    },
  };

  const withViewer = Object.entries(forSignedIn).map(([name, act]) => {
    const asSignedIn: (typeof forAll)[string] = (input, { viewer }) => {
      if (!viewer) throw new Unauthenticated('is missing');
      return act(input, viewer);
    };
    return [name, asSignedIn] as const;
  });
  return Object.fromEntries(
    [...Object.entries(forAll), ...withViewer].map(([name, act]) => [name, withErrorsAsData(act)]),
  );
}

type Input = Record<string, never> & { article: By; comment: By; user: By; refreshToken: string };
interface By {
  id?: string;
  slug?: string;
  username?: string;
  inArticle?: { slug: string; databaseId: number };
}

const { Refusal, ResourceKind } = refusals;
const { INVALID } = refusals.UserErrorCode;
const RULES = { refuseCommonPasswords: false };

const withErrorsAsData =
  (act: (input: Input, asking: Asking) => object) => (_: unknown, args: { input?: Input }, asking: Asking) => {
    try {
      return { errors: [], ...act(args.input ?? ({} as Input), asking) };
    } catch (error) {
      if (error instanceof Refusal) return { errors: error.errors };
      throw error;
    }
  };

function found<T>(thing: T | undefined, resource: refusals.ResourceKind, path: string[]): T {
  if (thing === undefined) throw new Refusal(new refusals.NotFoundError(resource, path));
  return thing;
}

const without = <L extends { from: unknown; to: unknown }>(links: L[], from: unknown, to: unknown) =>
  links.filter((link) => link.from !== from || link.to !== to);

function signIn(asking: Asking, user: User | undefined, path: string[] | null = null): object {
  if (!user) throw new Refusal(new refusals.InvalidCredentialsError(path));
  asking.viewer = user;
  return { viewer: { email: user.email, user }, ...tokensOf(user), refreshToken: refreshTokenOf(user.id) };
}

export const tokenOf = (id: string) => `mock-${id}`;
const refreshTokenOf = (id: string) => `mock-refresh-${id}`;
const tokensOf = ({ id }: User) => ({ token: tokenOf(id), expiresAt: new Date(Date.now() + 30 * 60_000) });
