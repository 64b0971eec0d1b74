// @module-tag security
import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { aSession, aUser } from '../../support/test-data.ts';
import { settings } from '../../support/test-server.ts';
import { seed, seededRandom, sendQuery } from './rig.ts';

/** Tokens that the server never issued. Each is valid except for the named difference. */

const encoded = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
const hmac = (content: string, key: string | Buffer, digest = 'sha256') =>
  createHmac(digest, key).update(content).digest('base64url');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicKey = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const JUNK = [null, '', 0, -1, 1.5, 2 ** 53, '7', true, [], {}, ['7'], { $gt: '' }, "' or 1=1 --", '\0', '\ud800'];

function* forgeries(good: string): Generator<[kind: string, token: string]> {
  const [head = '', body = '', signature = ''] = good.split('.');
  const [header, claims] = [head, body].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  const signed = (
    changedHeader: object | string,
    changedClaims: unknown,
    key: string | Buffer = settings.secretKey,
    digest?: string,
  ) => {
    const content = `${encoded(changedHeader)}.${encoded(changedClaims)}`;
    return `${content}.${hmac(content, key, digest)}`;
  };
  for (const alg of [
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'HS384',
    'HS512',
    'RS256',
    'PS256',
    'ES256',
    'EdDSA',
    'hs256',
    'HS256 ',
    'dir',
    ...JUNK,
  ]) {
    yield ['algorithm', signed({ ...header, alg }, claims)];
    yield ['algorithm', `${encoded({ ...header, alg })}.${body}.`];
    yield ['algorithm', `${encoded({ ...header, alg })}.${body}.${signature}`];
  }
  for (const [alg, digest] of [
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ] as const) {
    yield ['algorithm', signed({ ...header, alg }, claims, settings.secretKey, digest)];
  }
  for (const alg of ['HS256', 'RS256']) {
    yield ['confusion', signed({ ...header, alg }, claims, publicKey)];
    yield ['confusion', signed({ ...header, alg }, claims, publicKey.trim())];
    const content = `${encoded({ ...header, alg })}.${body}`;
    yield ['confusion', `${content}.${sign('sha256', Buffer.from(content), rsa.privateKey).toString('base64url')}`];
    yield ['confusion', `${content}.${sign('sha256', Buffer.from(content), ec.privateKey).toString('base64url')}`];
  }
  const keys = [
    '',
    ' ',
    'secret',
    'changeme',
    settings.secretKey.slice(1),
    `${settings.secretKey} `,
    settings.secretKey.toUpperCase(),
    '\0',
  ];
  for (const key of [...keys, Buffer.alloc(32), Buffer.from(settings.secretKey).reverse()])
    yield ['key', signed(header, claims, key)];
  const kids = ['../../../../dev/null', '/dev/null', "' union select 'key", 'http://evil.example/key', 'none', ...JUNK];
  for (const name of ['kid', 'jku', 'x5u', 'jwk', 'x5c']) {
    for (const value of kids) {
      for (const key of ['', '\0', 'key']) yield ['kid', signed({ ...header, [name]: value }, claims, key)];
    }
  }
  for (const name of ['crit', 'typ', 'b64', 'zip', 'enc', 'cty']) {
    for (const value of [...JUNK, ['exp'], ['b64'], 'at+jwt', 'DEF'].filter((value) => value !== undefined)) {
      if (['typ', 'crit'].includes(name)) yield ['header', signed({ ...header, [name]: value }, claims)];
      yield ['header', signed({ ...header, [name]: value }, claims, 'another key')];
    }
  }
  for (const name of Object.keys(claims)) {
    const { [name]: _, ...without } = claims;
    yield ['claims', signed(header, without)];
    for (const value of JUNK) {
      const changed = { ...claims, [name]: value };
      const isTrueAsWell = name === 'iat' && (value === 0 || value === -1); // also valid: issued in the past
      if (!isTrueAsWell && JSON.stringify(changed) !== JSON.stringify(claims))
        yield ['claims', signed(header, changed)];
      yield ['edited claims', `${head}.${encoded(changed)}.${signature}`];
    }
  }
  const now = Math.floor(Date.now() / 1000);
  for (const seconds of [0, 1, 2, 60, 3600, 86_400, 1e6, 1e9]) {
    yield ['time', signed(header, { ...claims, exp: now - seconds })];
    yield ['time', signed(header, { ...claims, iat: now + 600 + seconds, exp: now + 7200 + seconds })];
    yield ['time', signed(header, { ...claims, nbf: now + 600 + seconds })];
  }
  for (const sub of ['1', '2', '3', '999999', '0', '-1', '01', '1e0', '0x1', '١', '1 ', ' 1']) {
    if (sub !== claims.sub) yield ['another user', signed(header, { ...claims, sub })];
  }
  for (let count = 0; count < 50; count += 1) yield ['session', signed(header, { ...claims, sid: randomUUID() })];
  for (let gen = -5; gen < 50; gen += 1)
    if (gen !== claims.gen) yield ['generation', signed(header, { ...claims, gen })];
  for (const value of JUNK) yield ['payload', signed(header, value)];
  // From one character on: without any, there is no token, and the request is a guest's.
  for (let length = 1; length < good.length; length += 1) yield ['truncated', good.slice(0, length)];
  for (const changed of [
    `${good}.`,
    `.${good}`,
    `${good}=`,
    `${good}.${signature}`,
    `${head}.${body}.${signature}.${body}.${signature}`,
    `${head}==.${body}==.${signature}==`,
    `${head}..${signature}`,
    `${body}.${head}.${signature}`,
    `${head}%2e${body}%2e${signature}`,
    `"${good}"`,
    `${good},${good}`,
    JSON.stringify({ protected: head, payload: body, signature }),
    Buffer.from(good).toString('base64url'),
    good.toUpperCase(),
    good.toLowerCase(),
    good.split('').toReversed().join(''),
  ])
    yield ['another encoding', changed];
  const random = seededRandom(seed);
  for (let count = 0; count < 1000; count += 1) {
    const place = random(good.length);
    const letter = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.='[random(66)] ?? 'A';
    const changed = good.slice(0, place) + letter + good.slice(place + 1);
    // The last character of a signature has two unused bits.
    if (
      Buffer.from(changed.split('.')[2] ?? '', 'base64url').equals(Buffer.from(signature, 'base64url')) &&
      changed.startsWith(`${head}.${body}.`)
    )
      continue;
    yield ['one character', changed];
  }
}

test('no forged token of any kind is accepted', async () => {
  const ann = await aUser('ann');
  await aUser('bob');
  const { token } = await aSession(ann);
  const kinds: Record<string, number> = {};
  const accepted: string[] = [];
  for (const [kind, forged] of forgeries(token)) {
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    const { text, status } = await sendQuery('{ viewer { email } }', {}, { authorization: `Token ${forged}` });
    const response = JSON.parse(text);
    const isRefused =
      status < 500 && response.errors?.[0].extensions.code === 'UNAUTHENTICATED' && !response.data?.viewer;
    if (!isRefused) accepted.push(`${kind}: ${forged}: ${status} ${text}`);
  }
  const count = Object.values(kinds).reduce((one, other) => one + other);
  console.log(`${count} forged tokens refused (seed ${seed}): ${JSON.stringify(kinds)}`);
  expect(accepted).toEqual([]);
  expect(count).toBeGreaterThan(2000);
  expect((await sendQuery('{ viewer { email } }', {}, { authorization: `Token ${token}` })).text).toContain(ann.email);
});
