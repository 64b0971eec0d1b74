import { createHash, createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql as ormSql } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Statement } from '../database/batch/statement-pipeline.ts';
import type { ReadBatch } from '../reading/read-batch.ts';
import { raw, sql, toStatement } from '../reading/sql.ts';
import { Session } from './session.entity.ts';
import { type IssuedToken, invalidToken, issueToken, type TokenClaims, verifyToken } from './token.ts';

/**
 * Sessions are stored in the database, so that sign-out, a new password elsewhere and account deletion revoke tokens at once. All times
 * are PostgreSQL's, since the clocks of the processes may differ.
 */
export class Sessions {
  /** The first key signs. The others are being rotated out; tokens signed with them are still valid. */
  private readonly keys: readonly [KeyObject, ...KeyObject[]];
  /** A cache of verified tokens, since checking a signature takes longer than a lookup. */
  private readonly verified = new Map<string, TokenClaims>();

  /** `tokens`: whether access tokens expire after minutes, or slide, for clients that cannot refresh a session. */
  constructor(
    private readonly settings: SessionSettings,
    private readonly tokens: 'expire' | 'slide' = 'expire',
  ) {
    const key = (secret: string) => createSecretKey(secret, 'utf8');
    this.keys = [key(settings.secretKey), ...settings.secretKeyFallbacks.map(key)];
  }

  /**
   * Opens a session and issues its tokens; null if the password is no longer the one that was verified. A change of the password
   * at the same time waits for the lock on the user, and then ends this session; or is waited for.
   */
  async open(em: EntityManager, { id }: { id: number }, verifiedHash: string): Promise<SignInTokens | null> {
    await em.nativeDelete(Session, { user: id, expiresAt: { $lt: ormSql`now()` } });
    const secret = newSecret();
    const [session] = await em.execute<SessionRow[]>(
      `with verified as (select id from users where id = ? and password_hash = ? for share)
       insert into sessions (user_id, refresh_token_hash, expires_at)
       select id, ?, now() + make_interval(days => ?) from verified
       returning ${SESSION_ROW}`,
      [id, verifiedHash, hash(secret), this.settings.refreshTokenDays],
    );
    return session ? this.signInTokens(session, secret) : null;
  }

  /** The claims of an access token that was issued here, or null. Whether it is valid now is checked by `find`. */
  verifyAccessToken(token: string): TokenClaims | null {
    const cached = this.verified.get(token);
    if (cached) return cached;
    const claims = this.keys.map((key) => verifyToken(token, key)).find((found) => found !== null) ?? null;
    if (this.verified.size >= MAX_VERIFIED) this.verified.clear();
    if (claims) this.verified.set(token, claims);
    return claims;
  }

  /** The open session of a token; null if it has ended, or the token has expired. Runs with every request. */
  async find(reads: ReadBatch, claims: TokenClaims): Promise<OpenSession | null> {
    const { refreshTokenDays } = this.settings;
    const found = await reads.value(sql`(
      select ${raw(claims.slides ? `(${IS_RECENT})::text || ' ' || (${mayProlong(refreshTokenDays)})::text` : IS_RECENT)}
      from sessions
      where id = ${claims.sessionId} and user_id = ${claims.userId} and generation = ${claims.generation}
        and expires_at > now() and ${claims.expiresAt} > ${raw(SECONDS)}
        and ${claims.issuedAt} <= ${raw(SECONDS)} + ${raw(CLOCK_SKEW)})`);
    if (found === null) return null;
    return { id: claims.sessionId, isRecent: found.startsWith('true'), shouldBeProlonged: found.endsWith(' true') };
  }

  /** Fails with SESSION_HAS_ENDED when the session is not open. Otherwise it stays open until the transaction ends. */
  guard({ id }: OpenSession): Statement {
    return toStatement(sql`select 1 / (select count(*) from
      (select from sessions where id = ${id} and expires_at > now() for key share) as open)`);
  }

  /** Prolongs a session as refreshing it would, but at most until a year after it was opened. */
  async prolong(em: EntityManager, session: OpenSession): Promise<void> {
    const { refreshTokenDays } = this.settings;
    await em.execute(
      `update sessions set expires_at = ${prolonged(refreshTokenDays)}
       where id = ? and expires_at > now() and ${mayProlong(refreshTokenDays)}`,
      [session.id],
    );
  }

  /**
   * Exchanges an unused refresh token for a new pair; null if it is invalid. Reuse of a refresh token ends the session, since
   * the token was copied and either request may be the thief's. So does a token of a session that is too old. A client that
   * lost the answer, or asks from two tabs at once, gets the same successor again for a few seconds. Once the successor is used its
   * answer has arrived, and the token before is of no more use to its owner: only the last token can be used again.
   */
  async refresh(
    em: EntityManager,
    token: string,
    address: string,
  ): Promise<(SignInTokens & { userId: number }) | null> {
    const [sessionId = '', secret = '', signature = '', ...more] = token.split('.');
    if (more.length > 0 || !UUID.test(sessionId)) return null;
    if (!this.keys.some((key) => isEqual(signature, signatureOf(sessionId, secret, key)))) return null;
    // Derived from the secret, so that it can be given again though only its hash is stored.
    const successors = this.keys.map((key) => signatureOf('successor', secret, key));
    const [next = ''] = successors;
    const [session] = await em.execute<SessionRow[]>(
      `update sessions set refresh_token_hash = ?, expires_at = now() + make_interval(days => ?),
         previous_use_hash = ?, refreshed_at = now()
       where id = ? and refresh_token_hash = ? and expires_at > now() and opened_at > now() - ${MAX_AGE}
       returning ${SESSION_ROW}`,
      [hash(next), this.settings.refreshTokenDays, hash(`${secret}.${address}`), sessionId, hash(secret)],
    );
    if (session) return { ...this.signInTokens(session, next), userId: session.userId };
    const [again] = await em.execute<(SessionRow & { current: string })[]>(
      `select ${SESSION_ROW}, refresh_token_hash as current from sessions
       where id = ? and previous_use_hash = ? and refreshed_at > now() - ${REUSE_GRACE} and expires_at > now()`,
      [sessionId, hash(`${secret}.${address}`)],
    );
    const same = again && successors.find((successor) => hash(successor) === again.current);
    if (same) return { ...this.signInTokens(again, same), userId: again.userId };
    await em.nativeDelete(Session, { id: sessionId });
    return null;
  }

  /** Ends every other session of the user, and issues another token of this one. */
  endOthers(em: EntityManager, user: { id: number }, kept: OpenSession): Promise<IssuedToken> {
    // In a transaction, since the changes of the user may fail: the username may be taken.
    return em.transactional(async (em) => {
      await em.flush(); // first, since it locks the user: a sign-in with the old password is over, or waits and fails
      await em.nativeDelete(Session, { user: user.id, id: { $ne: kept.id } });
      // Locked, so that of two sessions that end each other one remains.
      const [session] = await em.execute<SessionRow[]>(`select ${SESSION_ROW} from sessions where id = ? for update`, [
        kept.id,
      ]);
      if (!session) throw invalidToken(); // ended in the meantime
      return this.accessToken(session);
    });
  }

  async end(em: EntityManager, session: OpenSession): Promise<void> {
    await em.nativeDelete(Session, { id: session.id });
  }

  async endAll(em: EntityManager, viewer: { id: number }): Promise<void> {
    await em.nativeDelete(Session, { user: viewer.id });
  }

  private accessToken({ id, userId, generation, now }: SessionRow): IssuedToken {
    const slides = this.tokens === 'slide';
    const claims = { userId, sessionId: id, generation, issuedAt: now, slides };
    return issueToken(claims, this.keys[0], slides ? MAX_AGE_MINUTES : this.settings.accessTokenMinutes);
  }

  private signInTokens(session: SessionRow, secret: string): SignInTokens {
    const refreshToken = [session.id, secret, signatureOf(session.id, secret, this.keys[0])].join('.');
    return { ...this.accessToken(session), refreshToken, session };
  }
}

export interface SessionSettings {
  readonly secretKey: string;
  readonly secretKeyFallbacks: readonly string[];
  readonly accessTokenMinutes: number;
  readonly refreshTokenDays: number;
}

export interface OpenSession {
  readonly id: string;
  /** Whether it was opened so recently that changing the password does not require the current one. */
  readonly isRecent: boolean;
  /** Whether using its sliding token should prolong it now. */
  readonly shouldBeProlonged?: boolean;
}

export interface SignInTokens extends IssuedToken {
  readonly refreshToken: string;
  readonly session: OpenSession;
}

interface SessionRow extends OpenSession {
  readonly userId: number;
  readonly generation: number;
  /** Seconds since 1970. */
  readonly now: number;
}

/** The SQLSTATE of a division by zero, of which no other statement of a mutation has one. */
export const SESSION_HAS_ENDED = '22012';

const SECONDS = 'extract(epoch from now())';
const IS_RECENT = `opened_at > now() - interval '15 minutes'`;
const SESSION_ROW = `id, user_id as "userId", generation, ${IS_RECENT} as "isRecent", floor(${SECONDS})::float8 as now`;

/** A session can be refreshed for a year; then its owner has to sign in again (ASVS V7.3.2). */
const MAX_AGE_DAYS = 365;
const MAX_AGE = `interval '${MAX_AGE_DAYS} days'`;
const MAX_AGE_MINUTES = MAX_AGE_DAYS * 24 * 60;

const prolonged = (days: number) => `least(now() + interval '${days} days', opened_at + ${MAX_AGE})`;

/** True at most once an hour, so that not every request writes. */
const mayProlong = (days: number) => `expires_at < ${prolonged(days)} - interval '1 hour'`;

/** How long the same client may use a refresh token again. */
const REUSE_GRACE = `interval '10 seconds'`;

/** Seconds that a clock which issued a token may be ahead: that of the primary before a failover. */
const CLOCK_SKEW = '60';

/** The signature of a refresh token: without it, anyone with a session's id could end that session by a forged token. */
const signatureOf = (sessionId: string, secret: string, key: KeyObject) =>
  createHmac('sha256', key).update(`${sessionId}.${secret}`).digest('base64url');

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A token has about 300 characters. */
const MAX_VERIFIED = 1_000;

const newSecret = () => randomBytes(32).toString('base64url');
const hash = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
