import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import {
  AddCommentDocument,
  ArticleDocument,
  type ArticleFieldsFragment,
  type ArticlePageFragment,
  type ArticlePreviewFragment,
  ArticlesDocument,
  type CommentFieldsFragment,
  CommentsDocument,
  CreateArticleDocument,
  CurrentUserDocument,
  DeleteArticleDocument,
  DeleteCommentDocument,
  type ErrorFieldsFragment,
  FavoriteArticleDocument,
  FeedDocument,
  FollowUserDocument,
  LoginDocument,
  ProfileDocument,
  type ProfileFieldsFragment,
  RegisterDocument,
  type SessionFieldsFragment,
  TagsDocument,
  UnfavoriteArticleDocument,
  UnfollowUserDocument,
  UpdateArticleDocument,
  UpdateUserDocument,
  type ViewerFieldsFragment,
} from '../../schema/generated/graphql.ts';
import { executeGraphql, type GraphQLResponse } from './test-server.ts';

/**
 * RealWorld's REST API on top of this one. Every call is one operation of schema/operations; the response (status, error key,
 * body) is derived only from that operation's result and the call.
 */
export async function rest(call: string, { token, ...sent }: Sent = {}): Promise<Response> {
  const [method = '', address = ''] = call.split(' ');
  const { pathname, searchParams } = new URL(address, 'http://realworld');
  for (const { on, handle } of ROUTES) {
    const found = on.exec(`${method} ${pathname}`);
    if (!found) continue;
    const query = Object.fromEntries(searchParams);
    return handle({ ...found.groups, ...query }, sent.body ?? {}, token);
  }
  throw new Error(`RealWorld has no call "${call}".`);
}

interface Sent {
  token?: string;
  body?: Record<string, Record<string, unknown>>;
}

export interface Response {
  status: number;
  body?: any;
}

type Names = Record<string, string>;
type Parts = Record<string, Record<string, any>>;
type Failed = { readonly errors: readonly ErrorFieldsFragment[] } | null;

interface Route {
  on: RegExp;
  handle(names: Names, parts: Parts, token?: string): Promise<Response>;
}

/** One call of RealWorld's specification. */
function route<R, V extends object>(
  call: string,
  document: TypedDocumentNode<R, V>,
  variables: (names: Names, parts: Parts) => V,
  success: (data: R, token: string) => Response | null | undefined,
  failed: (data: R) => Failed = () => null,
): Route {
  const handle: Route['handle'] = async (names, parts, token) => {
    const options = { ...variables(names, parts), ...(token === undefined ? {} : { as: { token } }) };
    const response = await executeGraphql<R, V>(document, options);
    return failure(response, failed) ?? success(response.data, token ?? '') ?? missing(document);
  };
  const pattern = call.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)');
  return { on: new RegExp(`^${pattern}$`), handle };
}

const articleFrom = (parts: Parts) => ({ title: '', description: '', body: '', ...parts.article });
const accountFrom = (parts: Parts) => ({ username: '', email: '', password: '', ...parts.user });
const pageFrom = ({ limit, offset }: Names) => ({
  ...(limit !== undefined && { first: Number(limit) }),
  ...(offset !== undefined && { offset: Number(offset) }),
});
const bySlug = ({ slug = '' }: Names) => ({ article: { slug } });
const byName = ({ username = '' }: Names) => ({ user: { username } });
const input = <V>(given: V) => ({ input: given });

const ROUTES: readonly Route[] = [
  route(
    'POST /users',
    RegisterDocument,
    (_, parts) => input(accountFrom(parts)),
    ({ register }) => ok(account(register), 201),
    ({ register }) => register,
  ),
  route(
    'POST /users/login',
    LoginDocument,
    (_, parts) => {
      const { email, password } = accountFrom(parts);
      return input({ email, password });
    },
    ({ login }) => ok(account(login)),
    ({ login }) => login,
  ),
  route(
    'GET /user',
    CurrentUserDocument,
    () => ({}),
    ({ viewer }, token) => (viewer ? ok(owner(viewer, token)) : null),
  ),
  route(
    'PUT /user',
    UpdateUserDocument,
    (_, parts) => input(parts.user ?? {}),
    ({ updateViewer }, token) => updateViewer?.viewer && ok(owner(updateViewer.viewer, updateViewer.token ?? token)),
    ({ updateViewer }) => updateViewer,
  ),
  route(
    'GET /profiles/:username',
    ProfileDocument,
    ({ username = '' }) => ({ username }),
    ({ user }) => user && ok({ profile: profile(user) }),
  ),
  route(
    'POST /profiles/:username/follow',
    FollowUserDocument,
    (names) => input(byName(names)),
    ({ followUser }) => followUser?.user && ok({ profile: profile(followUser.user) }),
    ({ followUser }) => followUser,
  ),
  route(
    'DELETE /profiles/:username/follow',
    UnfollowUserDocument,
    (names) => input(byName(names)),
    ({ unfollowUser }) => unfollowUser?.user && ok({ profile: profile(unfollowUser.user) }),
    ({ unfollowUser }) => unfollowUser,
  ),
  route('GET /articles/feed', FeedDocument, pageFrom, ({ viewer }) => viewer && ok(articles(viewer.feed))),
  route(
    'GET /articles',
    ArticlesDocument,
    ({ tag, author, favorited, ...names }) => ({
      ...pageFrom(names),
      filter: { tag, author, favoritedBy: favorited },
    }),
    (data) => ok(articles(data.articles)),
  ),
  route(
    'POST /articles',
    CreateArticleDocument,
    (_, parts) => input(articleFrom(parts)),
    ({ createArticle }) => createArticle?.article && ok({ article: article(createArticle.article) }, 201),
    ({ createArticle }) => createArticle,
  ),
  route(
    'GET /articles/:slug',
    ArticleDocument,
    ({ slug = '' }) => ({ slug }),
    (data) => data.article && ok({ article: article(data.article) }),
  ),
  route(
    'PUT /articles/:slug',
    UpdateArticleDocument,
    (names, parts) => input({ ...bySlug(names), ...parts.article }),
    ({ updateArticle }) => updateArticle?.article && ok({ article: article(updateArticle.article) }),
    ({ updateArticle }) => updateArticle,
  ),
  route(
    'DELETE /articles/:slug',
    DeleteArticleDocument,
    (names) => input(bySlug(names)),
    () => ({ status: 204 }),
    ({ deleteArticle }) => deleteArticle,
  ),
  route(
    'POST /articles/:slug/favorite',
    FavoriteArticleDocument,
    (names) => input(bySlug(names)),
    ({ favoriteArticle }) => favoriteArticle?.article && ok({ article: article(favoriteArticle.article) }),
    ({ favoriteArticle }) => favoriteArticle,
  ),
  route(
    'DELETE /articles/:slug/favorite',
    UnfavoriteArticleDocument,
    (names) => input(bySlug(names)),
    ({ unfavoriteArticle }) => unfavoriteArticle?.article && ok({ article: article(unfavoriteArticle.article) }),
    ({ unfavoriteArticle }) => unfavoriteArticle,
  ),
  route(
    'GET /articles/:slug/comments',
    CommentsDocument,
    ({ slug = '' }) => ({ slug, first: 100 }),
    (data) => data.article && ok({ comments: data.article.comments.nodes.map(comment) }),
  ),
  route(
    'POST /articles/:slug/comments',
    AddCommentDocument,
    (names, parts) => input({ ...bySlug(names), body: '', ...parts.comment }),
    ({ addComment }) => addComment?.comment && ok({ comment: comment(addComment.comment) }, 201),
    ({ addComment }) => addComment,
  ),
  route(
    'DELETE /articles/:slug/comments/:id',
    DeleteCommentDocument,
    ({ slug = '', id }) => input({ comment: { inArticle: { slug, databaseId: Number(id) } } }),
    () => ({ status: 204 }),
    ({ deleteComment }) => deleteComment,
  ),
  route(
    'GET /tags',
    TagsDocument,
    () => ({ first: 100 }),
    ({ tags }) => ok({ tags: tags.nodes.map(({ name }) => name) }),
  ),
];

const ok = (body: object, status = 200): Response => ({ status, body });

function failure<R>({ data, errors }: GraphQLResponse<R>, failed: (data: R) => Failed): Response | null {
  const [top] = errors ?? [];
  if (top) {
    const [status, key] = TOP_LEVEL[top.extensions.code] ?? [500, 'server'];
    return { status, body: { errors: { [key]: [top.message] } } };
  }
  const userErrors = failed(data)?.errors ?? [];
  const [first] = userErrors;
  if (!first) return null;
  const messages: Record<string, string[]> = {};
  for (const error of userErrors) messages[keyOf(error)] = [...(messages[keyOf(error)] ?? []), error.message];
  return { status: STATUSES[first.__typename], body: { errors: messages } };
}

const TOP_LEVEL: Record<string, [status: number, key: string]> = {
  UNAUTHENTICATED: [401, 'token'],
  BAD_USER_INPUT: [422, 'request'],
};

const STATUSES: Record<ErrorFieldsFragment['__typename'], number> = {
  ForbiddenError: 403,
  InvalidCredentialsError: 401,
  NotFoundError: 404,
  StaleVersionError: 409,
  TakenError: 409,
  ValidationError: 422,
};

function keyOf(error: ErrorFieldsFragment): string {
  if (error.__typename === 'InvalidCredentialsError') return 'credentials';
  if ('resource' in error) return RESOURCES[error.resource];
  return error.path?.[1] ?? '';
}

const RESOURCES = { ARTICLE: 'article', COMMENT: 'comment', TAG: 'tag', USER: 'profile' };

/** A query returns null for what does not exist; the call determines what that is. */
function missing(document: TypedDocumentNode<any, any>): Response {
  if (document === ProfileDocument) return { status: 404, body: { errors: { profile: ['not found'] } } };
  if (document === ArticleDocument || document === CommentsDocument) {
    return { status: 404, body: { errors: { article: ['not found'] } } };
  }
  return { status: 401, body: { errors: { token: ['is missing'] } } };
}

const account = (session: SessionFieldsFragment | null | undefined) =>
  session?.viewer ? owner(session.viewer, session.token ?? '') : {};

const owner = ({ email, user }: ViewerFieldsFragment, token: string) => {
  const { username, bio, image } = user;
  return { user: { email, token, username, bio, image } };
};

const profile = ({ username, bio, image, viewerIsFollowing }: ProfileFieldsFragment) => ({
  username,
  bio,
  image,
  following: viewerIsFollowing,
});

const preview = (shown: ArticlePreviewFragment) => {
  const { slug, title, description, tagList, createdAt, updatedAt, favoritesCount, viewerHasFavorited, author } = shown;
  const counts = { favorited: viewerHasFavorited, favoritesCount };
  return { slug, title, description, tagList, createdAt, updatedAt, ...counts, author: profile(author) };
};

const article = (shown: ArticleFieldsFragment) => ({ ...preview(shown), body: shown.body });

const articles = ({ edges, totalCount }: ArticlePageFragment) => ({
  articles: edges.map(({ node }) => preview(node)),
  articlesCount: totalCount,
});

const comment = ({ databaseId, body, createdAt, updatedAt, author }: CommentFieldsFragment) => ({
  id: databaseId,
  body,
  createdAt,
  updatedAt,
  author: author && profile(author),
});
