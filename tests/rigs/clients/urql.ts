// #region client
import { Client, fetchExchange } from '@urql/core';
import { authExchange } from '@urql/exchange-auth';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import generated from './gql/possible-types.ts';
import { isUnauthenticated, type Session } from './session.ts';

export function urqlClient(url: string, session: Session): Client {
  const auth = authExchange(async (utils) => ({
    addAuthToOperation: (operation) => utils.appendHeaders(operation, session.headers()),
    didAuthError: ({ graphQLErrors }) => session.isOpen() && isUnauthenticated(graphQLErrors),
    refreshAuth: session.refresh,
  }));
  return new Client({ url, preferGetMethod: false, exchanges: [cache(), auth, fetchExchange] });
}

const cache = () =>
  cacheExchange({
    possibleTypes: generated.possibleTypes,
    keys: { Viewer: () => null }, // a singleton without an id
    resolvers: {
      Query: { articles: relayPagination(), tags: relayPagination() },
      Viewer: { feed: relayPagination() },
      Article: { comments: relayPagination() },
      User: {
        articles: relayPagination(),
        favorites: relayPagination(),
        followers: relayPagination(),
        following: relayPagination(),
      },
    },
    optimistic: { favoriteArticle },
  });

// #endregion

// #region sign-in
import { LoginDocument } from './gql/graphql.ts';

/** Returns the errors; none on success. Continue with a new client: this one's cache belongs to the previous user. */
export async function signIn(client: Client, session: Session, email: string, password: string) {
  const { data, error } = await client.mutation(LoginDocument, { input: { email, password } });
  if (error) throw error;
  if (data?.login) session.open(data.login);
  return data?.login?.errors ?? [];
}

// #endregion

// #region feed
import { FeedDocument } from './gql/graphql.ts';

/** Returns all pages so far: the cache appends the page. In React: `useQuery` with these variables. */
export const feed = (client: Client, after?: string | null) => client.query(FeedDocument, { first: 5, after });

// #endregion

// #region favorite
import type { OptimisticMutationResolver } from '@urql/exchange-graphcache';
import { FavoriteArticleDocument, type FavoriteArticleMutationVariables } from './gql/graphql.ts';

/** What the cache shows until the response arrives; set as `optimistic` of the cache. */
const favoriteArticle: OptimisticMutationResolver<FavoriteArticleMutationVariables> = ({ input }, cache) => {
  const article = { __typename: 'Article', id: String(input.article.id) };
  const favoritesCount = Number(cache.resolve(article, 'favoritesCount')) + 1;
  return {
    __typename: 'ArticlePayload',
    article: { ...article, viewerHasFavorited: true, favoritesCount },
    errors: [],
  };
};

export async function favorite(client: Client, { id }: { id: string }) {
  const { data, error } = await client.mutation(FavoriteArticleDocument, { input: { article: { id } } });
  if (error) throw error;
  return data?.favoriteArticle?.errors ?? [];
}

// #endregion

// #region create
import { CombinedError } from '@urql/core';
import { CreateArticleDocument, type CreateArticleInput } from './gql/graphql.ts';
import { messagesByField } from './session.ts';

export async function publish(client: Client, input: CreateArticleInput) {
  const { data, error } = await client.mutation(CreateArticleDocument, { input });
  if (error) throw error;
  return { article: data?.createArticle?.article, messages: messagesByField(data?.createArticle?.errors ?? []) };
}

/** Errors that a form cannot fix come as `error`. Returns the API's error code, or undefined if the API was not reached. */
export const codeOf = (error: unknown) =>
  error instanceof CombinedError ? error.graphQLErrors[0]?.extensions.code : undefined;
// #endregion
