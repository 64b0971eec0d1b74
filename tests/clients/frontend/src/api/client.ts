// #region client
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { from, mergeMap } from 'rxjs';
import { generated } from './documents.ts';
import { API, session } from './session.ts';

const authorize = new SetContextLink(() => {
  const token = session.tokens()?.token;
  return { token, headers: token ? { authorization: `Token ${token}` } : {} };
});

/** Repeats a request whose token has expired with a new one, or as a guest if the session is over. */
const refresh = new ErrorLink(({ error, operation, forward }) => {
  const { token } = operation.getContext();
  if (!token || !isUnauthenticated(error)) return;
  return from(session.refresh(token)).pipe(mergeMap(() => forward(operation)));
});

const isUnauthenticated = (error: unknown): boolean =>
  CombinedGraphQLErrors.is(error) && error.errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');

export const client = new ApolloClient({
  link: ApolloLink.from([refresh, authorize, new HttpLink({ uri: `${API}/graphql` })]),
  cache: new InMemoryCache({
    possibleTypes: generated.possibleTypes,
    typePolicies: { Viewer: { keyFields: [] } }, // a singleton without an id
  }),
});

const userId = () => session.tokens()?.userId;
let lastUserId = userId();
// What was read as another viewer, such as `viewerHasFavorited`, is read again; not after a refresh of the same session.
session.subscribe(() => {
  if (userId() === lastUserId) return;
  lastUserId = userId();
  client.resetStore().catch(() => {}); // each query has its own error, and another sign-in may interrupt the reset
});
// #endregion
