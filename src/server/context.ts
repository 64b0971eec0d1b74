import type { EntityManager } from '@mikro-orm/postgresql';
import { GraphQLError } from 'graphql';
import type { Environment } from '../environment.ts';
import type { Guesses } from '../users/guesses.ts';
import type { OpenSession, Sessions } from '../users/sessions.ts';
import { Unauthenticated } from './errors.ts';
import type { UserErrorCode } from './user-errors.ts';

/** What every resolver is given. */
export interface Context {
  /** Each mutation has a fork of its own. Queries are answered by statements; this one refuses to load anything for them. */
  em: EntityManager;
  /** Who asks; null for a guest. Signing in and out change it for what follows in the same document. */
  viewer: SignedIn | null;
  session: OpenSession | null;
  /** A token came along that is not good; whatever looks at it fails with this. */
  tokenFault: GraphQLError | null;
  /** What a mutation has refused, the first of them: clients are told of it as data, the log as of any error. */
  refused: UserErrorCode | null;
  /** Aborted when the request has taken too long, or nobody waits for its answer any more. */
  readonly signal: AbortSignal;
  readonly sessions: Sessions;
  readonly guesses: Guesses;
  /** From where the request came, as far as proxies are trusted. */
  readonly address: string;
  readonly settings: Pick<Environment, 'refuseCommonPasswords'>;
}

/** Somebody who is signed in, as rules and statements need to know them. */
export interface SignedIn {
  readonly id: number;
}

/** The context behind `@Authorized()`. */
export interface SignedInContext extends Context {
  viewer: SignedIn;
  session: OpenSession;
}

/** Who asks is found out once for a request. A token that is not good is kept as a fault for whatever looks at it. */
export async function contextFor(
  authorization: string | undefined,
  parts: Pick<Context, 'em' | 'signal' | 'sessions' | 'guesses' | 'address' | 'settings'>,
): Promise<Context> {
  const guest = { ...parts, viewer: null, session: null, tokenFault: null, refused: null };
  if (authorization === undefined) return guest;
  const [, token] = /^(?:Token|Bearer) +(\S+)$/i.exec(authorization) ?? [];
  try {
    if (!token) throw new Unauthenticated('must be "Token <jwt>" or "Bearer <jwt>"');
    return { ...guest, ...(await parts.sessions.whoHas(parts.em, token)) };
  } catch (error) {
    if (error instanceof GraphQLError) return { ...guest, tokenFault: error };
    throw error;
  }
}
