import { RawJson } from '../../reading/raw-json.ts';
import { type Call, isText, isTexts, MAX_INT, withBlanks, withUsableImage } from './call.ts';

/** A call of RealWorld's REST API: the published operation that it runs, and how its answer is made from the result. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** Of schema/operations/rest.graphql. */
  readonly operation: string;
  /** `optional`: a bad one makes a guest. `ignored`: the call signs in, and the operation ignores the token. */
  readonly token: 'required' | 'optional' | 'ignored';
  readonly variables: (call: Call) => object;
  /** What does not exist if the operation returns null; `token` if nobody is signed in. */
  readonly missing?: 'article' | 'profile' | 'token';
  /** 200 unless given. With 204 there is no answer. */
  readonly status?: 201 | 204;
  readonly answer?: (result: Result, call: Call) => object | string;
  /** Instead, for a list that the answer gives whole. */
  readonly list?: {
    readonly connection: (result: Connection & { readonly comments: Connection }) => Connection;
    readonly answer: (items: readonly Item[]) => object;
  };
}

/** The JSON of a query's result, or a mutation's payload. */
export type Result = RawJson & {
  readonly viewer: Account;
  readonly token: string;
  readonly user: object;
  readonly article: object;
  readonly comment: object;
};

interface Account {
  readonly email: string;
  readonly user: object;
}

/** A page of a list; the operation reads the next one with `after`. */
export interface Connection {
  readonly nodes: readonly Item[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** A comment or a tag. */
export interface Item {
  readonly author?: object | null;
  readonly name?: string;
}

const input = (fields: object) => ({ input: fields });
const bySlug = (call: Call) => ({ article: { slug: call.pathParameter('slug') } });
const byName = (call: Call) => ({ user: { username: call.pathParameter('username') } });
const page = (call: Call) => ({ first: call.integer('limit'), offset: call.integer('offset') });

const ACCOUNT = { username: isText, email: isText, password: isText };
const CREDENTIALS = { email: isText, password: isText };
const PROFILE = { ...ACCOUNT, bio: isText, image: isText, currentPassword: isText };
const ARTICLE = { title: isText, description: isText, body: isText, tagList: isTexts };

export const ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/users',
    operation: 'RestRegister',
    token: 'ignored',
    variables: (call) => input(withBlanks(call.fields('user', ACCOUNT), 'username', 'email', 'password')),
    status: 201,
    answer: ({ viewer, token }) => account(viewer, token),
  },
  {
    method: 'POST',
    path: '/users/login',
    operation: 'RestLogin',
    token: 'ignored',
    variables: (call) => input(withBlanks(call.fields('user', CREDENTIALS), 'email', 'password')),
    answer: ({ viewer, token }) => account(viewer, token),
  },
  {
    method: 'GET',
    path: '/user',
    operation: 'RestCurrentUser',
    token: 'required',
    variables: () => ({}),
    missing: 'token',
    answer: (viewer, { token }) => account(parsed<Account>(viewer), token),
  },
  {
    method: 'PUT',
    path: '/user',
    operation: 'RestUpdateUser',
    token: 'required',
    variables: (call) => input(withUsableImage(call.fields('user', PROFILE))),
    answer: ({ viewer }, { token }) => account(viewer, token),
  },
  {
    method: 'GET',
    path: '/profiles/:username',
    operation: 'RestProfile',
    token: 'optional',
    variables: (call) => ({ username: call.pathParameter('username') }),
    missing: 'profile',
    answer: (user) => under('profile', user),
  },
  {
    method: 'POST',
    path: '/profiles/:username/follow',
    operation: 'RestFollow',
    token: 'required',
    variables: (call) => input(byName(call)),
    answer: ({ user }) => under('profile', user),
  },
  {
    method: 'DELETE',
    path: '/profiles/:username/follow',
    operation: 'RestUnfollow',
    token: 'required',
    variables: (call) => input(byName(call)),
    answer: ({ user }) => under('profile', user),
  },
  {
    method: 'GET',
    path: '/articles',
    operation: 'RestArticles',
    token: 'optional',
    variables: (call) => ({ ...page(call), filter: articleFilter(call) }),
    answer: json,
  },
  {
    method: 'GET',
    path: '/articles/feed',
    operation: 'RestFeed',
    token: 'required',
    variables: page,
    missing: 'token',
    answer: ({ json: viewer }) => viewer.slice(viewer.indexOf(':') + 1, -1), // of {"feed": …}
  },
  {
    method: 'POST',
    path: '/articles',
    operation: 'RestCreateArticle',
    token: 'required',
    variables: (call) => input(withBlanks(call.fields('article', ARTICLE), 'title', 'description', 'body')),
    status: 201,
    answer: ({ article }) => under('article', article),
  },
  {
    method: 'GET',
    path: '/articles/:slug',
    operation: 'RestArticle',
    token: 'optional',
    variables: (call) => ({ slug: call.pathParameter('slug') }),
    missing: 'article',
    answer: (article) => under('article', article),
  },
  {
    method: 'PUT',
    path: '/articles/:slug',
    operation: 'RestUpdateArticle',
    token: 'required',
    variables: (call) => input({ ...bySlug(call), ...call.fields('article', ARTICLE) }),
    answer: ({ article }) => under('article', article),
  },
  {
    method: 'DELETE',
    path: '/articles/:slug',
    operation: 'RestDeleteArticle',
    token: 'required',
    variables: (call) => input(bySlug(call)),
    status: 204,
  },
  {
    method: 'POST',
    path: '/articles/:slug/favorite',
    operation: 'RestFavorite',
    token: 'required',
    variables: (call) => input(bySlug(call)),
    answer: ({ article }) => under('article', article),
  },
  {
    method: 'DELETE',
    path: '/articles/:slug/favorite',
    operation: 'RestUnfavorite',
    token: 'required',
    variables: (call) => input(bySlug(call)),
    answer: ({ article }) => under('article', article),
  },
  {
    method: 'GET',
    path: '/articles/:slug/comments',
    operation: 'RestComments',
    token: 'optional',
    variables: (call) => ({ slug: call.pathParameter('slug') }),
    missing: 'article',
    list: {
      connection: ({ comments }) => comments,
      answer: (comments) => ({ comments: comments.map(withAuthor) }),
    },
  },
  {
    method: 'POST',
    path: '/articles/:slug/comments',
    operation: 'RestAddComment',
    token: 'required',
    variables: (call) => input({ ...bySlug(call), ...withBlanks(call.fields('comment', { body: isText }), 'body') }),
    status: 201,
    answer: ({ comment }) => under('comment', comment),
  },
  {
    method: 'DELETE',
    path: '/articles/:slug/comments/:id',
    operation: 'RestDeleteComment',
    token: 'required',
    variables: (call) =>
      input({
        comment: { inArticle: { slug: call.pathParameter('slug'), databaseId: commentId(call.pathParameter('id')) } },
      }),
    status: 204,
  },
  {
    method: 'GET',
    path: '/tags',
    operation: 'RestTags',
    token: 'optional',
    variables: () => ({}),
    list: {
      connection: (tags) => tags,
      answer: (tags) => ({ tags: tags.map(({ name }) => name) }),
    },
  },
];

/** Undefined without a parameter: looking through articles for nothing would take as long as for something. */
function articleFilter(call: Call): object | undefined {
  const filter = {
    tag: call.queryParameter('tag'),
    author: call.queryParameter('author'),
    favoritedBy: call.queryParameter('favorited'),
  };
  return Object.values(filter).some((value) => value !== undefined) ? filter : undefined;
}

/** No comment has the id 0, so what is no id names none either. */
const commentId = (text: string): number => (/^\d+$/.test(text) && Number(text) <= MAX_INT ? Number(text) : 0);

/** A query has its result as text already. */
function json(result: object): string {
  return result instanceof RawJson ? result.json : JSON.stringify(result);
}

const under = (key: string, result: object): string => `{"${key}":${json(result)}}`;

export const parsed = <T>({ json }: RawJson): T => JSON.parse(json);

const account = ({ email, user }: Account, token: string) => ({
  user: { email, token, ...user },
});

const withAuthor = (comment: Item): Item => (comment.author ? comment : { ...comment, author: DELETED });

/** Frontends expect an author of every comment. No account can have this name, because it ends in a space. */
const DELETED = { username: '[deleted] ', bio: null, image: null, following: false };
