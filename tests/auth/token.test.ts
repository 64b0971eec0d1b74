// @module-tag security
import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { expect, test } from 'vitest';
import { issueToken, verifyToken } from '../../src/auth/token.ts';

const SECRET = 'a secret key for tests, longer than 32 bytes';
const now = () => Math.floor(Date.now() / 1000);
const CLAIMS = { userId: 7, sessionId: randomUUID(), generation: 1, issuedAt: now() };

/** The payload of a valid token, for tests to alter. */
const payload = () => ({
  sid: CLAIMS.sessionId,
  gen: 1,
  sub: '7',
  iss: 'conduit',
  aud: 'conduit',
  iat: CLAIMS.issuedAt,
  exp: CLAIMS.issuedAt + 60,
});

/** A token with the given header and claims, and a valid signature. */
function forged(header: object, claims: object, secret = SECRET, digest = 'sha256'): string {
  const content = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${content}.${createHmac(digest, secret).update(content).digest('base64url')}`;
}

const HEADER = { alg: 'HS256', typ: 'JWT' };

test('a token contains its user, session and expiry', () => {
  const { token, expiresAt } = issueToken(CLAIMS, SECRET, 30);
  expect(verifyToken(token, SECRET)).toEqual({ ...CLAIMS, expiresAt: expiresAt.getTime() / 1000 });
  const { iat = 0, exp = 0 } = jwt.decode(token) as jwt.JwtPayload;
  expect(iat).toBe(CLAIMS.issuedAt);
  expect(exp - iat).toBe(30 * 60);
  expect(expiresAt.getTime()).toBe(exp * 1000);
});

test('a token contains only the required claims', () => {
  const { token } = issueToken(CLAIMS, SECRET, 30);
  expect(Object.keys(jwt.decode(token) as object).toSorted()).toEqual([
    'aud',
    'exp',
    'gen',
    'iat',
    'iss',
    'sid',
    'sub',
  ]);
});

test('the token that the other tests alter is valid', () => {
  expect(verifyToken(forged(HEADER, payload()), SECRET)).toMatchObject(CLAIMS);
});

test.each<[what: string, claims: object]>([
  ['never expires', { exp: undefined }],
  ['has an expiry that is not a number', { exp: 'tomorrow' }],
  ['has no issue time', { iat: undefined }],
  ['has an issue time that is a fraction', { iat: now() + 0.5 }],
  ['is not valid yet', { nbf: now() + 3600 }],
  ['says since when it is valid', { nbf: now() - 3600 }],
  ['has another issuer', { iss: 'elsewhere' }],
  ['has no issuer', { iss: undefined }],
  ['has another audience', { aud: 'elsewhere' }],
  ['has no audience', { aud: undefined }],
  ['has no subject', { sub: undefined }],
  ['has a subject that is not an id', { sub: 'ann' }],
  ['has a fraction as its subject', { sub: '7.5' }],
  ['has a subject of eleven digits', { sub: '12345678901' }],
  ['has no session', { sid: undefined }],
  ['has a session that is not a UUID', { sid: "' or 1=1" }],
  ['has no generation', { gen: undefined }],
  ['has a text as its generation', { gen: '1' }],
])('a token that %s is invalid', (_, claims) => {
  expect(verifyToken(forged(HEADER, { ...payload(), ...claims }), SECRET)).toBeNull();
});

test('a token signed with another key is invalid', () => {
  expect(verifyToken(forged(HEADER, payload(), 'another secret key of more than 32 bytes'), SECRET)).toBeNull();
  expect(verifyToken(forged(HEADER, payload(), ''), SECRET)).toBeNull();
});

test.each<[alg: string, digest: string]>([
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
])('a token signed with the right key by %s is invalid', (alg, digest) => {
  expect(verifyToken(forged({ alg, typ: 'JWT' }, payload(), SECRET, digest), SECRET)).toBeNull();
});

test('a token signed by RS256 is invalid', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  expect(verifyToken(jwt.sign(payload(), privateKey, { algorithm: 'RS256' }), SECRET)).toBeNull();
});

test.each(['none', 'None', 'NONE', ''])('a token with the algorithm "%s" is invalid, signed or not', (alg) => {
  const token = forged({ alg, typ: 'JWT' }, payload());
  expect(verifyToken(token, SECRET)).toBeNull();
  expect(verifyToken(token.replace(/[^.]*$/, ''), SECRET)).toBeNull();
});

test.each<[header: object]>([
  [{ crit: ['exp'] }],
  [{ crit: [] }],
  [{ crit: ['b64'], b64: false }],
  [{ typ: 'at+jwt' }],
  [{ typ: undefined }],
])('a token with the header %j is invalid', (header) => {
  expect(verifyToken(forged({ ...HEADER, ...header }, payload()), SECRET)).toBeNull();
});

test.each([
  ['without its signature', (token: string) => token.replace(/[^.]*$/, '')],
  ['with another signature', (token: string) => token.replace(/[^.]*$/, 'A'.repeat(43))],
  ['with one character less', (token: string) => token.slice(0, -1)],
  ['with a fourth part', (token: string) => `${token}.e30`],
  ['with other claims under the same signature', (token: string) => token.replace(/\.[^.]*\./, '.eyJzdWIiOiIxIn0.')],
])('a token %s is invalid', (_, alter) => {
  expect(verifyToken(alter(forged(HEADER, payload())), SECRET)).toBeNull();
});

test.each(['', '.', '..', '...', 'null', 'a.b.c', '{}', '\0', '\ud800.\ud800.\ud800', 'e30.e30.', 'e30.bnVsbA.e30'])(
  '%j is not a token',
  (text) => {
    expect(verifyToken(text, SECRET)).toBeNull();
  },
);

test.each([null, 'text', 7, [], [payload()]])('the claims %j are invalid', (claims) => {
  expect(verifyToken(forged(HEADER, claims as never), SECRET)).toBeNull();
});
