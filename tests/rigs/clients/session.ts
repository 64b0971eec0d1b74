// #region session
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { LogoutDocument, RefreshSessionDocument } from './gql/graphql.ts';

type Maybe<T> = T | null | undefined;

export type Session = ReturnType<typeof createSession>;

/** The session, for any client. Kept in memory: to survive a reload, a page must store the tokens elsewhere. */
export function createSession(url: string) {
  let tokens: { token: string; refreshToken: string } | null = null;
  let refreshing: Promise<void> | null = null;

  async function send<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    headers = {},
  ) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: print(document), variables }),
    });
    return (await response.json()) as { data?: Data; errors?: CodedError[] };
  }

  async function tradeRefreshToken(): Promise<void> {
    if (!tokens) return;
    const { data } = await send(RefreshSessionDocument, { input: { refreshToken: tokens.refreshToken } });
    if (data?.refreshSession) session.open(data.refreshSession);
  }

  const session = {
    /** Takes the payload of register, login or refreshSession. Without tokens in it, the user is signed out. */
    open({ token, refreshToken }: { token: Maybe<string>; refreshToken: Maybe<string> }): void {
      tokens = token && refreshToken ? { token, refreshToken } : null;
    },
    /** Signs out. The tokens become invalid on the server too, so stolen copies are useless. */
    async close(): Promise<void> {
      const logOut = () => send(LogoutDocument, {}, session.headers());
      try {
        if (!isUnauthenticated((await logOut()).errors)) return;
        await session.refresh(); // the token had expired, but not the session
        await logOut();
      } finally {
        tokens = null;
      }
    },
    isOpen: () => tokens !== null,
    headers: (): Record<string, string> => (tokens ? { authorization: `Token ${tokens.token}` } : {}),
    /** Shared by concurrent requests: a refresh token works once, and using it again later ends the session. */
    refresh(): Promise<void> {
      refreshing ??= tradeRefreshToken().finally(() => {
        refreshing = null;
      });
      return refreshing;
    },
  };
  return session;
}

/** The token is missing or no longer valid. */
export const isUnauthenticated = (errors: readonly CodedError[] = []): boolean =>
  errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');

type CodedError = { extensions?: { code?: unknown } };
// #endregion

// #region errors
/** Messages by form field: `{ title: "can't be blank" }`. Errors without a field are under ''. */
export function messagesByField(errors: readonly { path: Maybe<readonly string[]>; message: string }[]) {
  return Object.fromEntries(errors.map(({ path, message }) => [path?.slice(1).join('.') ?? '', message]));
}
// #endregion
