// #region session
import { print } from 'graphql';
import { useSyncExternalStore } from 'react';
import { LogoutDocument, RefreshSessionDocument, type SessionFieldsFragment } from './documents.ts';

/** The server: VITE_API=https://api.example npm run build */
export const API: string = import.meta.env.VITE_API ?? 'http://localhost:4000';

interface Tokens {
  readonly token: string;
  readonly refreshToken: string;
  /** Whose session it is. */
  readonly userId: string;
}

/** The tokens are in localStorage, so that they survive a reload and all tabs share them. */
export const session = {
  tokens: (): Tokens | null => readTokens(localStorage.getItem(KEY) ?? ''),

  isOpen: (): boolean => session.tokens() !== null,

  /** Takes the payload of register, login or refreshSession. Without tokens in it, the user is signed out. */
  open({ token, refreshToken, viewer }: Opened): void {
    const userId = viewer?.user.id ?? '';
    if (token && refreshToken) localStorage.setItem(KEY, JSON.stringify({ token, refreshToken, userId }));
    else localStorage.removeItem(KEY);
    for (const listener of listeners) listener();
  },

  /** Signs out here and on the server, where stolen copies of the tokens become useless too. */
  async close(): Promise<void> {
    const logOut = () => post({ query: print(LogoutDocument) }, session.tokens());
    const token = session.tokens()?.token ?? '';
    try {
      const { errors } = await logOut();
      if (errors) await session.refresh(token).then(logOut); // the token had expired, but not the session
    } finally {
      session.open({ token: null, refreshToken: null, viewer: null });
    }
  },

  /** Replaces a token that has expired. A refresh token works once, so concurrent requests share one refresh. */
  async refresh(expired: string): Promise<void> {
    if (session.tokens()?.token !== expired) return; // another tab has refreshed, or signed out
    refreshing ??= tradeRefreshToken().finally(() => {
      refreshing = null;
    });
    await refreshing;
  },

  /** Calls the listener when this or another tab signs in or out, or has new tokens. */
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    window.addEventListener('storage', listener);
    return () => {
      listeners.delete(listener);
      window.removeEventListener('storage', listener);
    };
  },
};

export const useSignedIn = (): boolean => useSyncExternalStore(session.subscribe, session.isOpen);

const KEY = 'conduit-session';
const listeners = new Set<() => void>();
let refreshing: Promise<void> | null = null;

type Opened = Pick<SessionFieldsFragment, 'token' | 'refreshToken' | 'viewer'>;

/** Other scripts and versions of the page write to localStorage too. Whoever has no proper tokens there is a guest. */
function readTokens(stored: string): Tokens | null {
  try {
    const { token, refreshToken, userId } = JSON.parse(stored);
    return isToken(token) && isToken(refreshToken) ? { token, refreshToken, userId: String(userId ?? '') } : null;
  } catch {
    return null;
  }
}

/** Other characters would make `fetch` refuse the header. */
const isToken = (value: unknown): boolean => typeof value === 'string' && /^[!-~]+$/.test(value);

async function tradeRefreshToken(): Promise<void> {
  const variables = { input: { refreshToken: session.tokens()?.refreshToken } };
  const { data } = await post({ query: print(RefreshSessionDocument), variables });
  if (data?.refreshSession) session.open(data.refreshSession);
}

async function post(body: object, tokens: Tokens | null = null) {
  const headers = { 'content-type': 'application/json', ...(tokens && { authorization: `Token ${tokens.token}` }) };
  const response = await fetch(`${API}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) });
  return response.json();
}
// #endregion
