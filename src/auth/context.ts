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

/** The context of every resolver. */
export interface Context {
  /** Each mutation gets its own fork. Queries are compiled to SQL, and cannot load entities through this one. */
  em: EntityManager;
  /** The signed-in user; null for a guest. Signing in or out changes it for later fields of the same document. */
  viewer: SignedIn | null;
  /** The session of the token once `verifySession` found it open, or one opened by this request. */
  session: OpenSession | null;
  /** Set when the request has an invalid token; every field that needs the token fails with it. */
  tokenError: GraphQLError | null;
  /** From a token with a valid signature. Until `verifySession` has checked its session, `viewer` is taken from here. */
  readonly claims: TokenClaims | null;
  /** The one check of the session, from its start. */
  verification: Promise<void> | null;
  /** The reads of this request, which bypass the unit of work. */
  readonly reads: ReadBatch;
  /** The code of the first user error of a mutation, for the log. */
  refused: UserErrorCode | null;
  /** Aborted when the request times out, the client disconnects, or the response is ready. */
  readonly signal: AbortSignal;
  readonly sessions: Sessions;
  readonly loginThrottle: LoginThrottle;
  /** The client's IP address, as far as proxies are trusted. */
  readonly address: string;
  /** The User-Agent header; empty without one. */
  readonly userAgent: string;
  /** Counts that the client reads an article: see articles/reads. */
  readonly readCounter: {
    count(articleId: number, reader: Pick<Context, 'viewer' | 'address' | 'userAgent'>): Promise<void>;
  };
  readonly settings: Pick<Environment, 'refuseCommonPasswords'>;
}

/** A signed-in user, as far as policies and statements need one. */
export interface SignedIn {
  readonly id: number;
}

/** The context of a mutation with `@Authorized()`. Queries start before their session is verified, and have none. */
export interface SignedInContext extends Context {
  viewer: SignedIn;
  session: OpenSession;
}

interface RequestParts
  extends Pick<
    Context,
    'em' | 'signal' | 'sessions' | 'loginThrottle' | 'address' | 'userAgent' | 'readCounter' | 'settings'
  > {
  readonly statements: PreparedStatements;
}

/** The context of a request, from its token alone. An invalid token is kept as `tokenError`. */
export function createContext(authorization: string | undefined, { statements, ...parts }: RequestParts): Context {
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
  if (!hasToken(authorization)) return guest;
  const [, token] = /^\s*(?:Token|Bearer)\s+(\S+)\s*$/i.exec(authorization) ?? [];
  if (!token) return { ...guest, tokenError: malformedToken() };
  const claims = parts.sessions.verifyAccessToken(token);
  return claims ? { ...guest, claims, viewer: { id: claims.userId } } : { ...guest, tokenError: invalidToken() };
}

function malformedToken(): Unauthenticated {
  const message = 'must be "Token <jwt>" or "Bearer <jwt>"';
  return new Unauthenticated(message, `The Authorization header ${message}.`);
}

/** Whether the Authorization header has a token, or something in its place. A scheme alone, as of an empty variable, is none. */
export const hasToken = (authorization: string | undefined): authorization is string =>
  authorization !== undefined && !/^\s*(?:Token|Bearer)?\s*$/i.test(authorization);

/** Checks once whether the session of the token is still open, in one round trip with the reads that start at the same time. */
export function verifySession(context: Context): Promise<void> | null {
  if (!context.claims) return null;
  context.verification ??= findSession(context, context.claims);
  return context.verification;
}

async function findSession(context: Context, claims: TokenClaims): Promise<void> {
  context.session = await context.sessions.find(context.reads, claims);
  if (context.session?.shouldBeProlonged) await context.sessions.prolong(context.em.fork(), context.session);
  if (context.session) return;
  context.viewer = null;
  context.tokenError = invalidToken();
}
