import { createHash, createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { ReadBatch } from '../reading/read-batch.ts';
import { type Sql, sql } from '../reading/sql.ts';
import { Table } from '../reading/table.ts';
import type { User } from '../users/user.entity.ts';
import { Session } from './session.entity.ts';
import { type IssuedToken, invalidToken, issueToken, type TokenClaims, verifyToken } from './token.ts';

/** Sessions live in the database, so that signing out, a new password and a deleted account end tokens at once. */
export class Sessions {
  /** The first signs; the others are on their way out, and what they signed is still good. */
  private readonly keys: readonly [KeyObject, ...KeyObject[]];
  private readonly table: Table;
  /** Tokens that were found good, by their text: to check a signature takes longer than to find it here. */
  private readonly known = new Map<string, TokenClaims>();

  constructor(
    private readonly settings: SessionSettings,
    em: EntityManager,
  ) {
    this.table = new Table(em.getMetadata().get(Session), 'session');
    const key = (secret: string) => createSecretKey(secret, 'utf8');
    this.keys = [key(settings.secretKey), ...settings.secretKeyFallbacks.map(key)];
  }

  /** Opens a session; what it gives out is good for signing in with. */
  async open(em: EntityManager, user: User): Promise<SignInTokens> {
    await em.nativeDelete(Session, { user: user.id, expiresAt: { $lt: new Date() } });
    const secret = newSecret();
    const session = em.create(Session, { user, refreshTokenHash: hash(secret), expiresAt: this.expiry() });
    await em.flush();
    return { ...this.tokenFor(session, user.id), refreshToken: this.refreshToken(session.id, secret), session };
  }

  /** What a token of ours says that has not expired; null for anything else. Whether its session is open, `find` knows. */
  verifyAccessToken(token: string): TokenClaims | null {
    const known = this.known.get(token);
    if (known && known.expiresAt.getTime() > Date.now()) return known;
    const claims = this.keys.map((key) => verifyToken(token, key)).find((found) => found !== null) ?? null;
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    if (claims) this.known.set(token, claims);
    return claims;
  }

  /** The session that a token is of; null when the token is no longer good. Asked with every request. */
  async find(reads: ReadBatch, { sessionId, userId, generation }: TokenClaims): Promise<OpenSession | null> {
    const { columns, aliased } = this.table;
    const openedAt = this.table.column('openedAt').asJson(columns.openedAt as Sql);
    const found = await reads.value(sql`(
      select ${openedAt} from ${aliased} where ${columns.id} = ${sessionId} and ${columns.user} = ${userId}
      and ${columns.generation} = ${generation} and ${columns.expiresAt} > ${new Date()})`);
    return found === null ? null : { id: sessionId, openedAt: new Date(found) };
  }

  /**
   * Trades an unused refresh token for a new pair; null when it is not good. A used one of ours ends the session: somebody
   * else has a copy of it, and there is no telling who is who. So does one that is too old.
   */
  async refresh(em: EntityManager, token: string): Promise<(SignInTokens & { userId: number }) | null> {
    const [sessionId = '', secret = '', seal, ...more] = token.split('.');
    if (more.length > 0 || !UUID.test(sessionId) || !this.keys.some((key) => seal === sealed(sessionId, secret, key)))
      return null;
    const next = newSecret();
    const now = Date.now();
    const traded = await em.nativeUpdate(
      Session,
      {
        id: sessionId,
        refreshTokenHash: hash(secret),
        expiresAt: { $gt: new Date(now) },
        openedAt: { $gt: new Date(now - MAX_SESSION_AGE) },
      },
      { refreshTokenHash: hash(next), expiresAt: this.expiry() },
    );
    if (traded === 0) {
      await em.nativeDelete(Session, { id: sessionId });
      return null;
    }
    const session = await em.findOne(Session, sessionId);
    if (!session) return null;
    const tokens = this.tokenFor(session, session.user.id);
    return { ...tokens, refreshToken: this.refreshToken(sessionId, next), session, userId: session.user.id };
  }

  /** Ends every other session of the user, and the access tokens that this one has given out so far. */
  endOthers(em: EntityManager, user: User, kept: OpenSession): Promise<IssuedToken> {
    // All or nothing: what is flushed along may be refused, a username that is taken, say.
    return em.transactional(async (em) => {
      await em.nativeDelete(Session, { user: user.id, id: { $ne: kept.id } });
      const session = await em.findOne(Session, kept.id);
      if (!session) throw invalidToken(); // ended in the meantime
      session.generation += 1;
      await em.flush();
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
    [sessionId, secret, sealed(sessionId, secret, this.keys[0])].join('.');

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

/** How long after it was opened a session can be refreshed: a year. Then its owner has to sign in again (ASVS V7.3.2). */
const MAX_SESSION_AGE = 365 * 86_400_000;

/** Shows that a refresh token is one of ours: who only knows the session's id can not end it with a made-up one. */
const sealed = (sessionId: string, secret: string, key: KeyObject) =>
  createHmac('sha256', key).update(`${sessionId}.${secret}`).digest('base64url');

/** A token has some 300 characters. */
const MOST_KNOWN = 1_000;

const newSecret = () => randomBytes(32).toString('base64url');
const hash = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
