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
  readonly expiresAt: Date;
}

export function issueToken(claims: Omit<TokenClaims, 'expiresAt'>, key: jwt.Secret, minutes: number): IssuedToken {
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + minutes * 60;
  const payload = { sid: claims.sessionId, gen: claims.generation, iat: issuedAt, exp: expiresAt };
  const token = jwt.sign(payload, key, {
    algorithm: 'HS256',
    issuer: ISSUER,
    audience: AUDIENCE,
    subject: String(claims.userId),
  });
  return { token, expiresAt: new Date(expiresAt * 1000) };
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** The claims of a valid token; null if it is forged or has expired. */
export function verifyToken(token: string, key: jwt.Secret): TokenClaims | null {
  try {
    const { header, payload } = jwt.verify(token, key, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      complete: true,
    });
    if (header.typ !== 'JWT' || 'crit' in header) return null;
    const claims = CLAIMS.parse(payload);
    if (claims.iat > Date.now() / 1000 + CLOCK_SKEW_SECONDS) return null;
    const { sub, sid, gen, exp } = claims;
    return { userId: Number(sub), sessionId: sid, generation: gen, expiresAt: new Date(exp * 1000) };
  } catch {
    return null;
  }
}

/** The error for a token that is forged, has expired, or belongs to an ended session. */
export const invalidToken = () => new Unauthenticated('is invalid or has expired');

const ISSUER = 'conduit';
const AUDIENCE = 'conduit';
const CLOCK_SKEW_SECONDS = 60;

const CLAIMS = z.object({
  sub: z.string().regex(/^[1-9]\d{0,9}$/),
  sid: z.uuid(),
  gen: z.int().positive(),
  iat: z.int(),
  exp: z.int(),
});
