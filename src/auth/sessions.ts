import { createHash, createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { ReadBatch } from '../reading/read-batch.ts';
import { type Sql, sql } from '../reading/sql.ts';
import { Table } from '../reading/table.ts';
import type { User } from '../users/user.entity.ts';
import { Session } from './session.entity.ts';
import { type IssuedToken, invalidToken, issueToken, type TokenClaims, verifyToken } from './token.ts';

/** Sessions are stored in the database, so that sign-out, a new password and account deletion revoke tokens at once. */
export class Sessions {
  /** The first key signs. The others are being rotated out; tokens signed with them are still valid. */
  private readonly keys: readonly [KeyObject, ...KeyObject[]];
  private readonly table: Table;
  /** A cache of verified tokens, since checking a signature takes longer than a lookup. */
  private readonly verified = new Map<string, TokenClaims>();

  constructor(
    private readonly settings: SessionSettings,
    em: EntityManager,
  ) {
    this.table = new Table(em.getMetadata().get(Session), 'session');
    const key = (secret: string) => createSecretKey(secret, 'utf8');
    this.keys = [key(settings.secretKey), ...settings.secretKeyFallbacks.map(key)];
  }

  /** Opens a session and issues its tokens. */
  async open(em: EntityManager, user: User): Promise<SignInTokens> {
    await em.nativeDelete(Session, { user: user.id, expiresAt: { $lt: new Date() } });
    const secret = newSecret();
    const session = em.create(Session, { user, refreshTokenHash: hash(secret), expiresAt: this.expiry() });
    await em.flush();
    return { ...this.tokenFor(session, user.id), refreshToken: this.refreshToken(session.id, secret), session };
  }

  /** The claims of a valid access token, or null. Whether its session is still open is checked by `find`. */
  verifyAccessToken(token: string): TokenClaims | null {
    const cached = this.verified.get(token);
    if (cached && cached.expiresAt.getTime() > Date.now()) return cached;
    const claims = this.keys.map((key) => verifyToken(token, key)).find((found) => found !== null) ?? null;
    if (this.verified.size >= MAX_VERIFIED) this.verified.clear();
    if (claims) this.verified.set(token, claims);
    return claims;
  }

  /** The open session of a token; null if it has ended. Runs with every request. */
  async find(reads: ReadBatch, { sessionId, userId, generation }: TokenClaims): Promise<OpenSession | null> {
    const { columns, aliased } = this.table;
    const openedAt = this.table.column('openedAt').asJson(columns.openedAt as Sql);
    const found = await reads.value(sql`(
      select ${openedAt} from ${aliased} where ${columns.id} = ${sessionId} and ${columns.user} = ${userId}
      and ${columns.generation} = ${generation} and ${columns.expiresAt} > ${new Date()})`);
    return found === null ? null : { id: sessionId, openedAt: new Date(found) };
  }

  /**
   * Exchanges an unused refresh token for a new pair; null if it is invalid. Reuse of a refresh token ends the session, since
   * the token was copied and either request may be the thief's. So does a token of a session that is too old.
   */
  async refresh(em: EntityManager, token: string): Promise<(SignInTokens & { userId: number }) | null> {
    const [sessionId = '', secret = '', signature, ...more] = token.split('.');
    if (more.length > 0 || !UUID.test(sessionId)) return null;
    if (!this.keys.some((key) => signature === signatureOf(sessionId, secret, key))) return null;
    const next = newSecret();
    const now = Date.now();
    const updated = await em.nativeUpdate(
      Session,
      {
        id: sessionId,
        refreshTokenHash: hash(secret),
        expiresAt: { $gt: new Date(now) },
        openedAt: { $gt: new Date(now - MAX_SESSION_AGE) },
      },
      { refreshTokenHash: hash(next), expiresAt: this.expiry() },
    );
    if (updated === 0) {
      await em.nativeDelete(Session, { id: sessionId });
      return null;
    }
    const session = await em.findOne(Session, sessionId);
    if (!session) return null;
    const tokens = this.tokenFor(session, session.user.id);
    return { ...tokens, refreshToken: this.refreshToken(sessionId, next), session, userId: session.user.id };
  }

  /** Ends every other session of the user, and issues another token of this one. */
  endOthers(em: EntityManager, user: User, kept: OpenSession): Promise<IssuedToken> {
    // In a transaction, since the flush also writes changes of the user that may fail, such as a taken username.
    return em.transactional(async (em) => {
      await em.nativeDelete(Session, { user: user.id, id: { $ne: kept.id } });
      // Locked, so that of two sessions that end each other one remains.
      const session = await em.findOne(Session, kept.id, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!session) throw invalidToken(); // ended in the meantime
      return this.tokenFor(session, user.id);
    });
  }

  async end(em: EntityManager, session: OpenSession): Promise<void> {
    await em.nativeDelete(Session, { id: session.id });
  }

  async endAll(em: EntityManager, viewer: { id: number }): Promise<void> {
    await em.nativeDelete(Session, { user: viewer.id });
  }

  private tokenFor(session: Session, userId: number): IssuedToken {
    const claims = { userId, sessionId: session.id, generation: session.generation };
    return issueToken(claims, this.keys[0], this.settings.accessTokenMinutes);
  }

  private refreshToken = (sessionId: string, secret: string) =>
    [sessionId, secret, signatureOf(sessionId, secret, this.keys[0])].join('.');

  private expiry = () => new Date(Date.now() + this.settings.refreshTokenDays * 86_400_000);
}

export interface SessionSettings {
  readonly secretKey: string;
  readonly secretKeyFallbacks: readonly string[];
  readonly accessTokenMinutes: number;
  readonly refreshTokenDays: number;
}

export type OpenSession = Pick<Session, 'id' | 'openedAt'>;

export interface SignInTokens extends IssuedToken {
  readonly refreshToken: string;
  readonly session: OpenSession;
}

/** A session can be refreshed for a year; then its owner has to sign in again (ASVS V7.3.2). */
const MAX_SESSION_AGE = 365 * 86_400_000;

/** The signature of a refresh token: without it, anyone with a session's id could end that session by a forged token. */
const signatureOf = (sessionId: string, secret: string, key: KeyObject) =>
  createHmac('sha256', key).update(`${sessionId}.${secret}`).digest('base64url');

/** A token has about 300 characters. */
const MAX_VERIFIED = 1_000;

const newSecret = () => randomBytes(32).toString('base64url');
const hash = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
