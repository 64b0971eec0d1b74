// #region session
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { LogoutDocument, RefreshSessionDocument } from './gql/graphql.ts';

type Maybe<T> = T | null | undefined;

export type Session = ReturnType<typeof createSession>;

/** Who is signed in, whichever client asks. In memory: a page that is to survive a reload keeps the tokens elsewhere. */
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
    /** Takes what register, login and refreshSession answer. Errors instead of tokens: nobody is signed in. */
    open({ token, refreshToken }: { token: Maybe<string>; refreshToken: Maybe<string> }): void {
      tokens = token && refreshToken ? { token, refreshToken } : null;
    },
    /** Signs out: from now on the tokens are good nowhere, also if somebody has stolen them. */
    async close(): Promise<void> {
      const logOut = () => send(LogoutDocument, {}, session.headers());
      try {
        if (!isUnauthenticated((await logOut()).errors)) return;
        await session.refresh(); // the token had ended, the session had not
        await logOut();
      } finally {
        tokens = null;
      }
    },
    isOpen: () => tokens !== null,
    headers: (): Record<string, string> => (tokens ? { authorization: `Token ${tokens.token}` } : {}),
    /** One for all that ask at the same time: a refresh token is good once, and using it again ends the session. */
    refresh(): Promise<void> {
      refreshing ??= tradeRefreshToken().finally(() => {
        refreshing = null;
      });
      return refreshing;
    },
  };
  return session;
}

/** The token is missing, or no longer good. */
export const isUnauthenticated = (errors: readonly CodedError[] = []): boolean =>
  errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');

type CodedError = { extensions?: { code?: unknown } };
// #endregion

// #region errors
/** What to write beside the fields of a form: `{ title: "can't be blank" }`; under '' what no field can mend. */
export function messagesByField(errors: readonly { path: Maybe<readonly string[]>; message: string }[]) {
  return Object.fromEntries(errors.map(({ path, message }) => [path?.slice(1).join('.') ?? '', message]));
}
// #endregion
