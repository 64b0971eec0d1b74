import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { Unauthenticated } from '../graphql/errors.ts';

/**
 * The claims of an access token: a JWT signed with HS256 and nothing else. jsonwebtoken by default accepts tokens without `exp`,
 * any HMAC algorithm and unknown `crit` headers (RFC 7515 requires to reject those), so every requirement is checked here.
 */
export interface TokenClaims {
  readonly userId: number;
  readonly sessionId: string;
  /** The session's when the token was issued. */
  readonly generation: number;
  /** Seconds since 1970, by PostgreSQL's clock: the clocks of servers that share it may differ. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Using the token prolongs its session, as refreshing does; only the session ends it. */
  readonly slides?: boolean;
}

export function issueToken(claims: Omit<TokenClaims, 'expiresAt'>, key: jwt.Secret, minutes: number): IssuedToken {
  const exp = claims.issuedAt + minutes * 60;
  const payload = {
    sid: claims.sessionId,
    gen: claims.generation,
    iat: claims.issuedAt,
    exp,
    ...(claims.slides && { sld: true }),
  };
  const token = jwt.sign(payload, key, {
    algorithm: 'HS256',
    issuer: ISSUER,
    audience: AUDIENCE,
    subject: String(claims.userId),
  });
  return { token, expiresAt: new Date(exp * 1000) };
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** The claims of a token that was issued here; null if it is forged. Whether it has expired is up to PostgreSQL's clock. */
export function verifyToken(token: string, key: jwt.Secret): TokenClaims | null {
  try {
    const { header, payload } = jwt.verify(token, key, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      ignoreExpiration: true,
      complete: true,
    });
    if (header.typ !== 'JWT' || 'crit' in header) return null;
    const { sub, sid, gen, iat, exp, sld = false } = CLAIMS.parse(payload);
    return {
      userId: Number(sub),
      sessionId: sid,
      generation: gen,
      issuedAt: iat,
      expiresAt: exp,
      ...(sld && { slides: true }),
    };
  } catch {
    return null;
  }
}

/** The error for a token that is forged, has expired, or belongs to an ended session. */
export const invalidToken = () =>
  new Unauthenticated('is invalid or has expired', 'Sign in again: the token is invalid or has expired.');

const ISSUER = 'conduit';
const AUDIENCE = 'conduit';

const CLAIMS = z.object({
  sub: z.string().regex(/^[1-9]\d{0,9}$/),
  sid: z.uuid(),
  gen: z.int().positive(),
  iat: z.int(),
  exp: z.int(),
  sld: z.literal(true).optional(),
  nbf: z.undefined().optional(), // never issued, and jsonwebtoken would compare it with the clock of this process
});
