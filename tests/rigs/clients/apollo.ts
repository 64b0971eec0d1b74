// #region client
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { relayStylePagination } from '@apollo/client/utilities';
import { from, mergeMap } from 'rxjs';
import generated from './gql/possible-types.ts';
import { isUnauthenticated, type Session } from './session.ts';

export function apolloClient(url: string, session: Session): ApolloClient {
  const authorize = new SetContextLink(() => ({ headers: session.headers() }));
  const refresh = new ErrorLink(({ error, operation, forward }) => {
    if (!session.isOpen() || !CombinedGraphQLErrors.is(error) || !isUnauthenticated(error.errors)) return;
    return from(session.refresh()).pipe(mergeMap(() => forward(operation)));
  });
  const cache = new InMemoryCache({
    possibleTypes: generated.possibleTypes,
    typePolicies: {
      Query: {
        fields: {
          articles: relayStylePagination(['filter', 'orderBy']),
          tags: relayStylePagination(['prefix', 'orderBy']),
        },
      },
      Viewer: { keyFields: [], fields: { feed: relayStylePagination() } }, // a singleton without an id
      Article: { fields: { comments: relayStylePagination(['orderBy']) } },
      User: {
        fields: {
          articles: relayStylePagination(['filter', 'orderBy']),
          favorites: relayStylePagination(),
          followers: relayStylePagination(),
          following: relayStylePagination(),
        },
      },
    },
  });
  return new ApolloClient({ cache, link: ApolloLink.from([refresh, authorize, new HttpLink({ uri: url })]) });
}

// #endregion

// #region sign-in
import { LoginDocument } from './gql/graphql.ts';

/** Returns the errors; none on success. */
export async function signIn(client: ApolloClient, session: Session, email: string, password: string) {
  const { data } = await client.mutate({ mutation: LoginDocument, variables: { input: { email, password } } });
  if (data?.login) session.open(data.login);
  await client.resetStore(); // drops what was read as another viewer, such as `viewerHasFavorited`
  return data?.login?.errors ?? [];
}

// #endregion

// #region feed
import { FeedDocument } from './gql/graphql.ts';

const FEED = { query: FeedDocument, variables: { first: 5 } };

/** In React: `const feed = useQuery(FEED.query, FEED)`. */
export const watchFeed = (client: ApolloClient) => client.watchQuery(FEED);

/** Appends the page in the cache, so that every view of the feed shows it. */
export async function more(client: ApolloClient, feed: ReturnType<typeof watchFeed>): Promise<void> {
  const page = client.readQuery(FEED)?.viewer?.feed.pageInfo;
  if (page?.hasNextPage) await feed.fetchMore({ variables: { after: page.endCursor } });
}

// #endregion

// #region favorite
import { FavoriteArticleDocument } from './gql/graphql.ts';

/** Changes the article in the cache at once. The response replaces the change, or reverts it. */
export async function favorite(client: ApolloClient, { id }: { id: string }) {
  const { data } = await client.mutate({
    mutation: FavoriteArticleDocument,
    variables: { input: { article: { id } } },
    optimisticResponse: { favoriteArticle: null },
    update(cache, { data }) {
      if (data?.favoriteArticle) return; // the response, which the cache already has
      cache.modify<{ viewerHasFavorited: boolean; favoritesCount: number }>({
        id: `Article:${id}`,
        fields: { viewerHasFavorited: () => true, favoritesCount: (count) => count + 1 },
      });
    },
  });
  return data?.favoriteArticle?.errors ?? [];
}

// #endregion

// #region create
import { CreateArticleDocument, type CreateArticleInput } from './gql/graphql.ts';
import { messagesByField } from './session.ts';

export async function publish(client: ApolloClient, input: CreateArticleInput) {
  const { data } = await client.mutate({ mutation: CreateArticleDocument, variables: { input } });
  return { article: data?.createArticle?.article, messages: messagesByField(data?.createArticle?.errors ?? []) };
}

/** Errors that a form cannot fix are thrown. Returns the API's error code, or undefined if the API was not reached. */
export const codeOf = (error: unknown) =>
  CombinedGraphQLErrors.is(error) ? error.errors[0]?.extensions?.code : undefined;
// #endregion
