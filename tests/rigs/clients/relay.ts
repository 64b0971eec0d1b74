// #region client
import { Environment, Network, RecordSource, Store } from 'relay-runtime';
import { GraphQLErrors, post } from './fetch.ts';
import { isUnauthenticated, type Session } from './session.ts';

export function relayEnvironment(url: string, session: Session): Environment {
  const network = Network.create(async ({ text }, variables) => {
    let result = await post<never>(url, session, { query: text, variables });
    if (session.isOpen() && isUnauthenticated(result.errors)) {
      await session.refresh();
      result = await post<never>(url, session, { query: text, variables });
    }
    if (result.errors) throw new GraphQLErrors(result.errors); // Relay itself would continue with nulls
    return result;
  });
  return new Environment({ network, store: new Store(new RecordSource()) });
}

// #endregion

// #region sign-in
import { commitMutation, graphql, type MutationConfig, type MutationParameters } from 'relay-runtime';
import type { relayLoginMutation } from './__generated__/relayLoginMutation.graphql.ts';

/** Returns the errors; none on success. Continue with a new environment: this store belongs to the previous user. */
export async function signIn(environment: Environment, session: Session, email: string, password: string) {
  const { login } = await mutate<relayLoginMutation>(environment, {
    mutation: graphql`
      mutation relayLoginMutation($input: LoginInput!) {
        login(input: $input) {
          token
          refreshToken
          errors {
            code
            message
            path
          }
        }
      }
    `,
    variables: { input: { email, password } },
  });
  if (login) session.open(login);
  return login?.errors ?? [];
}

/** In React: `useMutation`. */
const mutate = <T extends MutationParameters>(environment: Environment, config: MutationConfig<T>) =>
  new Promise<T['response']>((resolve, reject) => {
    commitMutation<T>(environment, { ...config, onCompleted: resolve, onError: reject });
  });

// #endregion

// #region feed
import { createOperationDescriptor, fetchQuery, getRequest } from 'relay-runtime';
import type { relayFeedQuery } from './__generated__/relayFeedQuery.graphql.ts';

const FEED = graphql`
  query relayFeedQuery($first: Int!, $after: String) {
    viewer {
      feed(first: $first, after: $after) @connection(key: "relay_feed") {
        edges {
          node {
            id
            title
            favoritesCount
            viewerHasFavorited
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`;

/** In React: the same connection in a fragment with `@refetchable`, and `usePaginationFragment`. */
export function readFeed(environment: Environment) {
  const operation = createOperationDescriptor(getRequest(FEED), { first: 5 });
  const retained = environment.retain(operation); // or the store may collect it as garbage
  const shown = () => (environment.lookup(operation.fragment).data as relayFeedQuery['response']).viewer?.feed;
  return {
    shown,
    /** Reads the next page, starting with the first. The store appends it. */
    async more(): Promise<void> {
      const page = shown()?.pageInfo;
      if (page && !page.hasNextPage) return;
      await fetchQuery<relayFeedQuery>(environment, FEED, { first: 5, after: page?.endCursor ?? null }).toPromise();
    },
    close: () => retained.dispose(),
  };
}

// #endregion

// #region favorite
import type { relayFavoriteMutation } from './__generated__/relayFavoriteMutation.graphql.ts';

/** Changes the article in the store at once. The response replaces the change, or reverts it. */
export async function favorite(environment: Environment, { id }: { id: string }) {
  const { favoriteArticle } = await mutate<relayFavoriteMutation>(environment, {
    mutation: graphql`
      mutation relayFavoriteMutation($input: ArticleInput!) {
        favoriteArticle(input: $input) {
          article {
            id
            favoritesCount
            viewerHasFavorited
          }
          errors {
            code
            message
            path
          }
        }
      }
    `,
    variables: { input: { article: { id } } },
    optimisticUpdater(store) {
      const article = store.get(id);
      article?.setValue(true, 'viewerHasFavorited');
      article?.setValue(Number(article.getValue('favoritesCount')) + 1, 'favoritesCount');
    },
  });
  return favoriteArticle?.errors ?? [];
}

// #endregion

// #region create
import type { CreateArticleInput, relayCreateMutation } from './__generated__/relayCreateMutation.graphql.ts';
import { messagesByField } from './session.ts';

export async function publish(environment: Environment, input: CreateArticleInput) {
  const { createArticle } = await mutate<relayCreateMutation>(environment, {
    mutation: graphql`
      mutation relayCreateMutation($input: CreateArticleInput!) {
        createArticle(input: $input) {
          article {
            id
            slug
          }
          errors {
            message
            path
          }
        }
      }
    `,
    variables: { input },
  });
  return { article: createArticle?.article, messages: messagesByField(createArticle?.errors ?? []) };
}

/** Errors that a form cannot fix are thrown by the network layer above, with the API's error code. */
export const codeOf = (error: unknown) =>
  error instanceof GraphQLErrors ? error.errors[0]?.extensions.code : undefined;
// #endregion
