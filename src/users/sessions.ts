import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Unauthenticated } from '../server/errors.ts';
import { Session } from './session.entity.ts';
import { type IssuedToken, issueToken, readToken } from './token.ts';
import type { User } from './user.entity.ts';

/** Sessions live in the database, so that signing out, a new password and a deleted account end tokens at once. */
export class Sessions {
  constructor(private readonly settings: SessionSettings) {}

  /** Opens a session; what it gives out is good for signing in with. */
  async open(em: EntityManager, user: User): Promise<SignInTokens> {
    await em.nativeDelete(Session, { user: user.id, expiresAt: { $lt: new Date() } });
    const secret = newSecret();
    const session = em.create(Session, { user, refreshTokenHash: hash(secret), expiresAt: this.expiry() });
    await em.flush();
    return { ...this.tokenFor(session, user.id), refreshToken: this.refreshToken(session.id, secret), session };
  }

  /** Whose token it is, and in which session; throws Unauthenticated when it is not, or no longer, good. */
  async whoHas(em: EntityManager, token: string): Promise<{ viewer: { id: number }; session: OpenSession }> {
    const claims = readToken(token, this.settings.secretKey);
    const session = claims && (await em.findOne(Session, { id: claims.sessionId, expiresAt: { $gt: new Date() } }));
    if (!session || session.user.id !== claims.userId || session.generation !== claims.generation) {
      throw new Unauthenticated('is invalid or has expired');
    }
    return { viewer: { id: claims.userId }, session };
  }

  /**
   * Trades an unused refresh token for a new pair; null when it is not good. A used one of ours ends the session: somebody
   * else has a copy of it, and there is no telling who is who.
   */
  async refresh(em: EntityManager, token: string): Promise<(SignInTokens & { userId: number }) | null> {
    const [sessionId = '', secret = '', seal, ...more] = token.split('.');
    if (more.length > 0 || !UUID.test(sessionId) || seal !== this.seal(sessionId, secret)) return null;
    const next = newSecret();
    const traded = await em.nativeUpdate(
      Session,
      { id: sessionId, refreshTokenHash: hash(secret), expiresAt: { $gt: new Date() } },
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
      if (!session) throw new Unauthenticated('is invalid or has expired'); // ended in the meantime
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
    const { secretKey, accessTokenMinutes } = this.settings;
    return issueToken({ userId, sessionId: session.id, generation: session.generation }, secretKey, accessTokenMinutes);
  }

  private refreshToken = (sessionId: string, secret: string) =>
    [sessionId, secret, this.seal(sessionId, secret)].join('.');

  /** Shows that a refresh token is one of ours: who only knows the session's id can not end it with a made-up one. */
  private seal = (sessionId: string, secret: string) =>
    createHmac('sha256', this.settings.secretKey).update(`${sessionId}.${secret}`).digest('base64url');

  private expiry = () => new Date(Date.now() + this.settings.refreshTokenDays * 86_400_000);
}

export interface SessionSettings {
  readonly secretKey: string;
  readonly accessTokenMinutes: number;
  readonly refreshTokenDays: number;
}

export type OpenSession = Pick<Session, 'id' | 'openedAt'>;

export interface SignInTokens extends IssuedToken {
  readonly refreshToken: string;
  readonly session: OpenSession;
}

const newSecret = () => randomBytes(32).toString('base64url');
const hash = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
