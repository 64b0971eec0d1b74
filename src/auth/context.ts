import type { EntityManager } from '@mikro-orm/postgresql';
import type { GraphQLError } from 'graphql';
import type { Environment } from '../environment.ts';
import { Unauthenticated } from '../graphql/errors.ts';
import type { UserErrorCode } from '../graphql/user-errors.ts';
import type { PreparedStatements } from '../reading/prepared-statements.ts';
import { ReadBatch } from '../reading/read-batch.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { OpenSession, Sessions } from './sessions.ts';
import { invalidToken, type TokenClaims } from './token.ts';

/** What every resolver is given. */
export interface Context {
  /** Each mutation has a fork of its own. Queries are answered by statements; this one refuses to load anything for them. */
  em: EntityManager;
  /** Who asks; null for a guest. Signing in and out change it for what follows in the same document. */
  viewer: SignedIn | null;
  /** That of the token, once it was seen to be open (`verifySession`), or the one that was opened since. */
  session: OpenSession | null;
  /** A token came along that is not good; whatever looks at it fails with this. */
  tokenError: GraphQLError | null;
  /** Of a token of ours, whose session has still to be looked at (`verifySession`). Until then `viewer` is who the token says. */
  readonly claims: TokenClaims | null;
  /** That look, from its beginning; there is only one. */
  verification: Promise<void> | null;
  /** Reads for this request, past the unit of work. */
  readonly reads: ReadBatch;
  /** What a mutation has refused, the first of them: clients are told of it as data, the log as of any error. */
  refused: UserErrorCode | null;
  /** Aborted when the request has taken too long, nobody waits for its answer any more, or the answer is known. */
  readonly signal: AbortSignal;
  readonly sessions: Sessions;
  readonly loginThrottle: LoginThrottle;
  /** From where the request came, as far as proxies are trusted. */
  readonly address: string;
  readonly settings: Pick<Environment, 'refuseCommonPasswords'>;
}

/** Somebody who is signed in, as rules and statements need to know them. */
export interface SignedIn {
  readonly id: number;
}

/** The context of a mutation behind `@Authorized()`; a query asks for its answer before its session was seen to be open. */
export interface SignedInContext extends Context {
  viewer: SignedIn;
  session: OpenSession;
}

interface RequestParts extends Pick<Context, 'em' | 'signal' | 'sessions' | 'loginThrottle' | 'address' | 'settings'> {
  readonly statements: PreparedStatements;
}

/** Who asks, as far as the token alone tells. One that is not good is kept as a fault for whatever looks at it. */
export function contextFor(authorization: string | undefined, { statements, ...parts }: RequestParts): Context {
  const reads = new ReadBatch(statements, parts.signal);
  const guest = {
    ...parts,
    reads,
    viewer: null,
    session: null,
    tokenError: null,
    claims: null,
    verification: null,
    refused: null,
  };
  if (authorization === undefined) return guest;
  const [, token] = /^(?:Token|Bearer) +(\S+)$/i.exec(authorization) ?? [];
  if (!token) return { ...guest, tokenError: new Unauthenticated('must be "Token <jwt>" or "Bearer <jwt>"') };
  const claims = parts.sessions.verifyAccessToken(token);
  return claims ? { ...guest, claims, viewer: { id: claims.userId } } : { ...guest, tokenError: invalidToken() };
}

/**
 * Looks, once, whether the session of the token is still open. Nothing is done before, and nothing answered; queries only ask
 * in the meantime, so that all of it is one round trip.
 */
export function verifySession(context: Context): Promise<void> | null {
  if (!context.claims) return null;
  context.verification ??= findSession(context, context.claims);
  return context.verification;
}

async function findSession(context: Context, claims: TokenClaims): Promise<void> {
  context.session = await context.sessions.find(context.reads, claims);
  if (context.session) return;
  context.viewer = null;
  context.tokenError = invalidToken();
}
