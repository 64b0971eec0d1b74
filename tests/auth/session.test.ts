// @module-tag security
import { createHmac } from 'node:crypto';
import argon2 from 'argon2';
import { print } from 'graphql';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  CreateArticleDocument,
  CurrentUserDocument,
  type CurrentUserQuery,
  DeleteUserDocument,
  FollowUserDocument,
  LoginDocument,
  LogoutDocument,
  RefreshSessionDocument,
  RegisterDocument,
  UpdateUserDocument,
} from '../../schema/generated/graphql.ts';
import { Session } from '../../src/auth/session.entity.ts';
import { Sessions } from '../../src/auth/sessions.ts';
import { issueToken } from '../../src/auth/token.ts';
import { User } from '../../src/users/user.entity.ts';
import { aSession, aUser, PASSWORD, type Person } from '../support/test-data.ts';
import { address, executeGraphql, orm, post, sessions, settings } from '../support/test-server.ts';

const signIn = async (email: string, password = PASSWORD) =>
  (await executeGraphql(LoginDocument, { input: { email, password } })).data.login;

const signsIn = async (email: string, password?: string) => Boolean((await signIn(email, password))?.token);

const refresh = async (refreshToken: string) => executeGraphql(RefreshSessionDocument, { input: { refreshToken } });

/** The name of the viewer that the token stands for. */
async function nameOf(as: { token: string }): Promise<string> {
  const { data, errors } = await executeGraphql<CurrentUserQuery, object>(print(CurrentUserDocument), { as });
  return errors?.[0]?.extensions.code ?? data.viewer?.user.username ?? 'a guest';
}

const withHeader = (authorization: string, document = '{ viewer { user { username } } }') =>
  post({ query: document }, { authorization });

async function makeOlder({ id }: Person, minutes: number): Promise<void> {
  const openedAt = new Date(Date.now() - minutes * 60_000);
  await orm.em.fork().nativeUpdate(Session, { user: id }, { openedAt } as never);
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

function signed(header: object, claims: object): string {
  const content = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${content}.${createHmac('sha256', settings.secretKey).update(content).digest('base64url')}`;
}

describe('signing in', () => {
  test('rehashes a password that was hashed with older parameters', async () => {
    const ann = await aUser('ann');
    const old = await argon2.hash(PASSWORD, { memoryCost: 4096, timeCost: 1, parallelism: 1 });
    await orm.em.fork().nativeUpdate(User, ann.id, { passwordHash: old });
    const hashNow = async () =>
      (await orm.em.fork().findOneOrFail(User, ann.id, { populate: ['passwordHash'] })).passwordHash;
    await signIn(ann.email, 'wrong');
    expect(await hashNow()).toBe(old);
    expect(await signIn(ann.email)).not.toBeNull();
    expect(await hashNow()).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(await signIn(ann.email)).not.toBeNull();
  });

  test.each([
    ['an accent in one character or two', 'caf\u00e9-secret', 'cafe\u0301-secret'],
    ['letters with two accents in another order', 'pa\u0323\u0302sswort', 'pa\u0302\u0323sswort'],
    ['syllables of Korean as letters', '비밀번호-secret', '비밀번호-secret'.normalize('NFD')],
    ['a space that does not break', 'a secret word', 'a\u00a0secret\u00a0word'],
    ['a wide space', 'a secret word', 'a\u3000secret\u2003word'],
    ['the Angstrom sign', '10-\u00c5ngstrom', '10-\u212bngstrom'],
  ])('accepts another spelling of the password: %s', async (_, one, other) => {
    for (const [index, [signUp, login]] of [
      [one, other],
      [other, one],
    ].entries()) {
      const email = `ann${index}@example.com`;
      await executeGraphql(RegisterDocument, { input: { username: `ann${index}`, email, password: signUp ?? '' } });
      expect(await signsIn(email, login)).toBe(true);
      expect(await signsIn(email, `${login}x`)).toBe(false);
    }
  });

  test('counts and compares the password as it is hashed', async () => {
    const register = (password: string) =>
      executeGraphql(RegisterDocument, { input: { username: 'ann', email: 'ann@example.com', password } });
    expect(await register('e\u0301'.repeat(7))).toFailWith('TOO_SHORT input password');
    expect(await register('e\u0301'.repeat(129))).toFailWith('TOO_LONG input password');
    expect(await register('\u0301\u0316'.repeat(100_000))).toFailWith('TOO_LONG input password');
    expect(await register('e\u0301'.repeat(128))).toSucceed();
  });

  test.each([
    ['cafe\u0301-secret', 'caf\u00e9-secret'],
    ['a\u00a0secret\u00a0word', 'a secret word'],
  ])('accepts a password that was hashed as it was typed, and renews its hash: %j', async (typed, prepared) => {
    const ann = await aUser('ann');
    const passwordHash = await argon2.hash(typed, {
      type: argon2.argon2id,
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
    });
    await orm.em.fork().nativeUpdate(User, ann.id, { passwordHash });
    expect(await signsIn(ann.email, prepared)).toBe(false);
    expect(await signsIn(ann.email, typed)).toBe(true);
    expect(await signsIn(ann.email, prepared)).toBe(true);
    const renewed = (await orm.em.fork().findOneOrFail(User, ann.id)).passwordHash;
    expect(await signsIn(ann.email, typed)).toBe(true);
    expect((await orm.em.fork().findOneOrFail(User, ann.id)).passwordHash).toBe(renewed);
  });

  test.each([['ann@example.com '], ['  ann@example.com'], ['\tANN@example.com\n'], ['\u00a0ann@example.com\u3000']])(
    'ignores white space around the e-mail address, as registering does: %j',
    async (typed) => {
      const input = { username: 'ann', email: typed, password: PASSWORD };
      const { data } = await executeGraphql(RegisterDocument, { input });
      expect(data.register?.viewer?.email).toBe(typed.trim());
      expect(await signsIn(typed)).toBe(true);
      expect(await signsIn('ann@example.com')).toBe(true);
      expect(await signsIn('ann @example.com')).toBe(false);
    },
  );

  test('without an e-mail address is BLANK, also of white space', async () => {
    for (const email of ['', ' \t']) {
      expect(await executeGraphql(LoginDocument, { input: { email, password: PASSWORD } })).toFailWith(
        'BLANK input email',
      );
    }
  });

  test('continues during key rotation: tokens of a fallback key stay valid, new tokens use the new key', async () => {
    const ann = await aUser('ann');
    const [oldKey = ''] = settings.secretKeyFallbacks;
    const old = await aSession(ann, new Sessions({ ...settings, secretKey: oldKey }));
    expect(await nameOf(old)).toBe('ann');
    const { token, refreshToken } = (await refresh(old.refreshToken)).data.refreshSession ?? {};
    const after = new Sessions({ ...settings, secretKeyFallbacks: [] });
    expect(after.verifyAccessToken(token ?? '')).toMatchObject({ userId: ann.id });
    expect(after.verifyAccessToken(old.token)).toBeNull();
    expect(await after.refresh(orm.em.fork(), old.refreshToken, '::1')).toBeNull();
    expect(await after.refresh(orm.em.fork(), refreshToken ?? '', '::1')).not.toBeNull();
  });

  test('ignores the case of the email', async () => {
    await aUser('ann');
    expect((await signIn('ANN@Example.com'))?.viewer?.user.username).toBe('ann');
  });

  test('for the first time makes no account if the session cannot be opened', async () => {
    const em = orm.em.fork();
    await em.execute('alter table sessions add constraint none check (user_id < 0) not valid');
    onTestFinished(async () => void (await em.execute('alter table sessions drop constraint none')));
    const input = { username: 'ann', email: 'ann@example.com', password: PASSWORD };
    expect(await executeGraphql(RegisterDocument, { input })).toFailWith('INTERNAL_SERVER_ERROR');
    expect(await orm.em.fork().count(User)).toBe(0);
  });

  test('returns working tokens and their expiry', async () => {
    await aUser('ann');
    const session = await signIn('ann@example.com');
    expect(await nameOf({ token: session?.token ?? '' })).toBe('ann');
    expect(Date.parse(session?.expiresAt ?? '')).toBe(claimsOf(session?.token ?? '').exp * 1000);
  });

  test('fails alike for a wrong password and an unknown email, and opens no session', async () => {
    await aUser('ann');
    const wrong = await executeGraphql(LoginDocument, {
      input: { email: 'ann@example.com', password: 'not her password' },
    });
    const unknown = await executeGraphql(LoginDocument, { input: { email: 'bob@example.com', password: PASSWORD } });
    expect(wrong).toFailWith('INVALID_CREDENTIALS');
    expect(unknown).toEqual(wrong);
    expect(wrong.data.login).toMatchObject({ token: null, expiresAt: null, refreshToken: null, viewer: null });
    expect(await orm.em.fork().count(Session)).toBe(1);
  });

  test('compares the password exactly, with its case and white space', async () => {
    const password = ' Pass  wörd 🐉 ';
    await executeGraphql(RegisterDocument, { input: { username: 'ann', email: 'ann@example.com', password } });
    expect((await signIn('ann@example.com', password))?.viewer).not.toBeNull();
    for (const other of [password.trim(), password.toLowerCase(), password.slice(0, -1)]) {
      expect((await signIn('ann@example.com', other))?.errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
    }
  });

  test('makes the user the viewer for the rest of the document', async () => {
    await Promise.all([aUser('ann'), aUser('bob')]);
    const response = await executeGraphql<any, object>(
      `mutation {
        login(input: { email: "ann@example.com", password: "${PASSWORD}" }) { viewer { user { isViewer } } }
        followUser(input: { user: { username: "bob" } }) { user { viewerIsFollowing } errors { code } }
      }`,
    );
    expect(response.data).toEqual({
      login: { viewer: { user: { isViewer: true } } },
      followUser: { user: { viewerIsFollowing: true }, errors: [] },
    });
  });

  test.each(['Token not.a.token', 'Bearer ', 'Basic YW5uOnBhc3M=', 'nonsense'])(
    'ignores the invalid header "%s"',
    async (authorization) => {
      const ann = await aUser('ann');
      const send = (query: string) =>
        withHeader(authorization, `mutation { ${query} { viewer { email } errors { code } } }`);
      const { body: registered } = await send(
        'register(input: { username: "bob", email: "bob@example.com", password: "password123" })',
      );
      expect(registered.data).toEqual({ register: { viewer: { email: 'bob@example.com' }, errors: [] } });
      const { body: signedIn } = await send(`login(input: { email: "ann@example.com", password: "${PASSWORD}" })`);
      expect(signedIn.data).toEqual({ login: { viewer: { email: 'ann@example.com' }, errors: [] } });
      const { body: refreshed } = await send(`refreshSession(input: { refreshToken: "${ann.refreshToken}" })`);
      expect(refreshed.data).toEqual({ refreshSession: { viewer: { email: 'ann@example.com' }, errors: [] } });
    },
  );
});

describe('the header', () => {
  test.each(['Token', 'Bearer', 'token', 'BEARER'])('accepts the scheme %s', async (word) => {
    const { token } = await aUser('ann');
    const { body } = await withHeader(`${word} ${token}`);
    expect(body.data).toEqual({ viewer: { user: { username: 'ann' } } });
  });

  test.each([
    'Basic YW5uOnBhc3M=',
    'nonsense',
    'Tokens',
    'Token Bearer',
    'Bearer ""',
    'Token a b',
    'Token not.a.token',
    'Bearer null',
    'Bearer undefined',
  ])('with "%s" is UNAUTHENTICATED instead of a guest', async (authorization) => {
    const { body } = await withHeader(authorization, '{ articles { totalCount } }');
    expect(body).toFailWith('UNAUTHENTICATED');
  });

  test.each(['', ' ', 'Token', 'Token ', 'token', 'Bearer', 'Bearer   ', 'BEARER\t'])(
    'with "%s" is no token: a guest, whose responses are cached as such',
    async (authorization) => {
      const { body } = await withHeader(authorization, '{ viewer { email } articles { totalCount } }');
      expect(body).toMatchObject({ data: { viewer: null, articles: { totalCount: 0 } } });
      expect(await withHeader(authorization, 'mutation { logout { ok } }')).toMatchObject({
        body: { errors: [{ message: expect.stringContaining('is missing') }] },
      });
      const { headers } = await fetch(`${address}/graphql?query={articles{totalCount}}`, {
        headers: { authorization, 'apollo-require-preflight': '1' },
      });
      expect(headers.get('cache-control')).toBe('public, no-cache');
    },
  );

  test('makes a guest when it is absent', async () => {
    expect(await executeGraphql(CurrentUserDocument)).toMatchObject({ data: { viewer: null } });
  });

  test('fails each field separately with an invalid token', async () => {
    const { body } = await withHeader('Token not.a.token', '{ viewer { email } article(by: { slug: "x" }) { id } }');
    expect(body.data).toEqual({ viewer: null, article: null });
    expect(body).toFailWith('UNAUTHENTICATED', 'UNAUTHENTICATED');
  });
});

describe('a token', () => {
  const HEADER = { alg: 'HS256', typ: 'JWT' };
  const now = () => Math.floor(Date.now() / 1000);

  test('is valid when it is signed as in this file', async () => {
    const { token } = await aUser('ann');
    expect(await nameOf({ token: signed(HEADER, claimsOf(token)) })).toBe('ann');
  });

  test.each<[what: string, header: object, claims: () => object]>([
    ['has expired', {}, () => ({ iat: now() - 1801, exp: now() - 1 })],
    ['was issued more than a minute ahead', {}, () => ({ iat: now() + 65, exp: now() + 1865 })],
    ['never expires', {}, () => ({ exp: undefined })],
    ['has another algorithm', { alg: 'HS512' }, () => ({})],
    ['has no algorithm', { alg: 'none' }, () => ({})],
    ['has a critical header', { crit: ['exp'] }, () => ({})],
    ['is for another user in this session', {}, () => ({ sub: '2' })],
    ['is for an unknown session', {}, () => ({ sid: '00000000-0000-4000-8000-000000000000' })],
    ['is of another generation', {}, () => ({ gen: 99 })],
  ])('that %s is UNAUTHENTICATED', async (_, header, claims) => {
    const { token } = await aUser('ann');
    await aUser('bob');
    expect(await nameOf({ token: signed({ ...HEADER, ...header }, { ...claimsOf(token), ...claims() }) })).toBe(
      'UNAUTHENTICATED',
    );
  });

  test('that was issued by a server whose clock is less than a minute ahead is valid', async () => {
    const { token } = await aUser('ann');
    const claims = { ...claimsOf(token), iat: now() + 50, exp: now() + 1850 };
    expect(await nameOf({ token: signed(HEADER, claims) })).toBe('ann');
  });

  test('is valid until the second of its expiry, however often it is used', async () => {
    const { token } = await aUser('ann');
    const exp = now() + 2;
    const expiring = { token: signed(HEADER, { ...claimsOf(token), exp }) };
    for (let isOver = false; !isOver; ) {
      isOver = now() >= exp;
      const name = await nameOf(expiring);
      if (isOver) expect(name).toBe('UNAUTHENTICATED');
      else if (now() < exp) expect(name).toBe('ann');
    }
  });

  test('with another key is UNAUTHENTICATED', async () => {
    const { token } = await aUser('ann');
    const { sid, sub, gen } = claimsOf(token);
    const claims = { userId: Number(sub), sessionId: sid, generation: gen, issuedAt: now() };
    const forged = issueToken(claims, 'another key that is longer than 32 bytes', 30);
    expect(await nameOf(forged)).toBe('UNAUTHENTICATED');
  });

  test('of an ended session fails every field of a query, even one that failed or read nothing', async () => {
    const ann = await aUser('ann');
    await executeGraphql('mutation { logout { ok } }', { as: ann });
    const query = `{
      viewer { email } tag(name: "none") { name } node(id: "nonsense") { id }
      bad: article(by: { slug: "none" }) { comments(first: 1000) { totalCount } }
    }`;
    const response = await executeGraphql(query, { as: ann });
    expect(response).toFailWith('UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED');
    expect(response.data).toEqual({ viewer: null, tag: null, node: null, bad: null });
  });

  test('of an ended session changes nothing, whatever else the document does', async () => {
    const ann = await aUser('ann');
    await executeGraphql('mutation { logout { ok } }', { as: ann });
    const article = '(input: { title: "Mine", description: "d", body: "b" }) { article { slug } }';
    const response = await executeGraphql<any, object>(
      `mutation { before: createArticle${article} login(input: { email: "${ann.email}", password: "${PASSWORD}" }) { viewer { email } }
        after: createArticle${article} }`,
      { as: ann },
    );
    expect(response).toFailWith('UNAUTHENTICATED');
    expect(response.data).toEqual({
      before: null,
      login: { viewer: { email: ann.email } },
      after: { article: { slug: 'mine' } },
    });
  });

  test('of an expired session is UNAUTHENTICATED, and its refresh token is invalid', async () => {
    const ann = await aUser('ann');
    await orm.em.fork().nativeUpdate(Session, { user: ann.id }, { expiresAt: new Date(Date.now() - 1000) });
    expect(await nameOf(ann)).toBe('UNAUTHENTICATED');
    expect(await refresh(ann.refreshToken)).toFailWith('INVALID_CREDENTIALS input refreshToken');
  });
});

describe.each([
  ['an hour ahead', 3_600_000],
  ['an hour behind', -3_600_000],
])('in a process whose clock is %s', (_, offset) => {
  const hour = 3600;
  let now: number;
  beforeEach(() => {
    now = Math.floor(Date.now() / 1000);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + offset });
  });
  afterEach(() => void vi.useRealTimers());
  const aNewSession = async () => {
    await aUser('ann');
    const { token, refreshToken } = (await signIn('ann@example.com')) ?? {};
    return { token: token ?? '', refreshToken: refreshToken ?? '' };
  };

  test('a token is issued now, and valid for its time', async () => {
    const { token } = await aNewSession();
    const { iat, exp } = claimsOf(token);
    expect(Math.abs(iat - now)).toBeLessThan(60);
    expect(exp - iat).toBe(settings.accessTokenMinutes * 60);
    expect(await nameOf({ token })).toBe('ann');
    const late = signed({ alg: 'HS256', typ: 'JWT' }, { ...claimsOf(token), iat: now - hour / 2, exp: now + 60 });
    expect(await nameOf({ token: late })).toBe('ann');
    const tooLate = signed({ alg: 'HS256', typ: 'JWT' }, { ...claimsOf(token), iat: now - hour / 2, exp: now - 1 });
    expect(await nameOf({ token: tooLate })).toBe('UNAUTHENTICATED');
  });

  test('a session lasts as long as it should, from each refresh', async () => {
    const { refreshToken } = await aNewSession();
    const left = `extract(epoch from expires_at - now())::int / 60 as minutes`;
    const minutesLeft = async () =>
      (await orm.em.fork().execute(`select ${left} from sessions order by opened_at desc limit 1`))[0]?.minutes;
    const whole = settings.refreshTokenDays * 24 * 60;
    expect(Math.abs((await minutesLeft()) - whole)).toBeLessThanOrEqual(1);
    await orm.em.fork().execute(`update sessions set expires_at = now() + interval '1 minute'`);
    const { data } = await refresh(refreshToken);
    const token = data.refreshSession?.token ?? '';
    expect(await nameOf({ token })).toBe('ann');
    expect(Math.abs(claimsOf(token).iat - now)).toBeLessThan(60);
    expect(Math.abs((await minutesLeft()) - whole)).toBeLessThanOrEqual(1);
    await orm.em.fork().execute(`update sessions set expires_at = now() - interval '1 second'`);
    expect(await nameOf({ token })).toBe('UNAUTHENTICATED');
    expect(await refresh(data.refreshSession?.refreshToken ?? '')).toFailWith('INVALID_CREDENTIALS input refreshToken');
  });

  test('a year after sign-in is a year after sign-in', async () => {
    const opened = (age: string) => orm.em.fork().execute(`update sessions set opened_at = now() - interval '${age}'`);
    const { refreshToken } = await aNewSession();
    await opened('364 days 23 hours 59 minutes');
    const { data } = await refresh(refreshToken);
    expect(data.refreshSession?.errors).toEqual([]);
    await opened('365 days 1 minute');
    expect(await refresh(data.refreshSession?.refreshToken ?? '')).toFailWith('INVALID_CREDENTIALS input refreshToken');
  });

  test('only a session of the last 15 minutes sets a password without the current one', async () => {
    const { token } = await aNewSession();
    const change = () => executeGraphql(UpdateUserDocument, { as: { token }, input: { password: 'another password' } });
    const opened = (age: string) => orm.em.fork().execute(`update sessions set opened_at = now() - interval '${age}'`);
    await opened('16 minutes');
    expect(await change()).toFailWith('BLANK input currentPassword');
    await opened('14 minutes');
    const { data } = await change();
    expect(data.updateViewer?.errors).toEqual([]);
    expect(Math.abs(claimsOf(data.updateViewer?.token ?? '').iat - now)).toBeLessThan(60);
  });
});

describe('refreshing', () => {
  test('exchanges the refresh token for a new pair; the old access token stays valid', async () => {
    const ann = await aUser('ann');
    const { data } = await refresh(ann.refreshToken);
    expect(data.refreshSession).toMatchObject({ errors: [], viewer: { user: { username: 'ann' } } });
    expect(data.refreshSession?.refreshToken).not.toBe(ann.refreshToken);
    expect(await nameOf({ token: data.refreshSession?.token ?? '' })).toBe('ann');
    expect(await nameOf(ann)).toBe('ann');
    expect(await refresh(data.refreshSession?.refreshToken ?? '')).toSucceed();
  });

  test('again within ten seconds returns the same refresh token, which works', async () => {
    const ann = await aUser('ann');
    const first = (await refresh(ann.refreshToken)).data.refreshSession;
    await secondsPass(9);
    const second = (await refresh(ann.refreshToken)).data.refreshSession;
    expect(second).toMatchObject({ errors: [], refreshToken: first?.refreshToken });
    expect(await nameOf({ token: second?.token ?? '' })).toBe('ann');
    expect(await refresh(first?.refreshToken ?? '')).toSucceed();
  });

  test.each<[when: string, use: (token: string) => Promise<unknown>]>([
    ['later', () => secondsPass(11)],
    [
      'after its successor was used',
      async (token) => void (await refresh((await refresh(token)).data.refreshSession?.refreshToken ?? '')),
    ],
    ['from another address', (token) => sessions.refresh(orm.em.fork(), token, '192.0.2.1')],
  ])('with a used token %s ends the session', async (_, use) => {
    const ann = await aUser('ann');
    await refresh(ann.refreshToken);
    await use(ann.refreshToken);
    expect(await refresh(ann.refreshToken)).toFailWith('INVALID_CREDENTIALS input refreshToken');
    expect(await nameOf(ann)).toBe('UNAUTHENTICATED');
  });

  test('with a used token ends that session and no other', async () => {
    const ann = await aUser('ann');
    const elsewhere = await aSession(ann);
    const { data } = await refresh(ann.refreshToken);
    await secondsPass(11);
    expect(await refresh(ann.refreshToken)).toFailWith('INVALID_CREDENTIALS input refreshToken');
    expect(await nameOf({ token: data.refreshSession?.token ?? '' })).toBe('UNAUTHENTICATED');
    expect(await nameOf(ann)).toBe('UNAUTHENTICATED');
    expect(await refresh(data.refreshSession?.refreshToken ?? '')).toFailWith('INVALID_CREDENTIALS input refreshToken');
    expect(await nameOf(elsewhere)).toBe('ann');
  });

  const secondsPass = (seconds: number) =>
    orm.em.fork().execute(`update sessions set refreshed_at = refreshed_at - interval '${seconds} seconds'`);

  test('is refused a year after sign-in', async () => {
    const ann = await aUser('ann');
    const aYearAgo = new Date(Date.now() - 366 * 86_400_000);
    await orm.em.fork().nativeUpdate(Session, { user: ann.id }, { openedAt: aYearAgo });
    expect(await nameOf(ann)).toBe('ann');
    expect(await refresh(ann.refreshToken)).toFailWith('INVALID_CREDENTIALS input refreshToken');
    expect(await nameOf(ann)).toBe('UNAUTHENTICATED');
  });

  test('concurrently with one token returns one refresh token', async () => {
    const ann = await aUser('ann');
    const responses = await Promise.all(Array.from({ length: 8 }, () => refresh(ann.refreshToken)));
    for (const response of responses) expect(response).toSucceed();
    expect(new Set(responses.map(({ data }) => data.refreshSession?.refreshToken)).size).toBe(1);
    expect(await nameOf({ token: responses[0]?.data.refreshSession?.token ?? '' })).toBe('ann');
  });

  test.each([
    '',
    '.',
    'nonsense',
    '00000000-0000-4000-8000-000000000000.secret',
    "'; drop table sessions; --.x",
    '\0.\0',
  ])('with %j is refused and ends no session', async (forged) => {
    const ann = await aUser('ann');
    expect(await refresh(forged)).toFailWith('INVALID_CREDENTIALS input refreshToken');
    expect(await nameOf(ann)).toBe('ann');
  });

  test.each<[what: string, change: (signature: string) => string]>([
    ['another first character', (signature) => (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)],
    ['another last character', (signature) => signature.slice(0, -1) + (signature.endsWith('A') ? 'B' : 'A')],
    ['one character less', (signature) => signature.slice(0, -1)],
    ['letters of two bytes', (signature) => 'ä'.repeat(signature.length)],
    ['nothing', () => ''],
  ])('with a signature that has %s is refused and ends no session', async (_, change) => {
    const ann = await aUser('ann');
    const [id, secret, signature = ''] = ann.refreshToken.split('.');
    expect(await refresh([id, secret, change(signature)].join('.'))).toFailWith(
      'INVALID_CREDENTIALS input refreshToken',
    );
    expect(await nameOf(ann)).toBe('ann');
    expect(await refresh(ann.refreshToken)).toSucceed();
  });

  test('accepts no access token, and no refresh token with a suffix', async () => {
    const ann = await aUser('ann');
    expect(await refresh(ann.token)).toFailWith('INVALID_CREDENTIALS input refreshToken');
    expect(await refresh(`${ann.refreshToken}.more`)).toFailWith('INVALID_CREDENTIALS input refreshToken');
  });

  test('stores only a hash of the secret', async () => {
    const { refreshToken } = await aUser('ann');
    const [row] = await orm.em.fork().execute('select * from sessions');
    expect(JSON.stringify(row)).not.toContain(refreshToken.split('.')[1]);
  });
});

describe('signing out', () => {
  test('ends this session at once, and no other', async () => {
    const ann = await aUser('ann');
    const elsewhere = await aSession(ann);
    expect((await executeGraphql(LogoutDocument, { as: ann })).data.logout).toMatchObject({ ok: true });
    expect(await nameOf(ann)).toBe('UNAUTHENTICATED');
    expect(await refresh(ann.refreshToken)).toFailWith('INVALID_CREDENTIALS input refreshToken');
    expect(await nameOf(elsewhere)).toBe('ann');
  });

  test('everywhere ends every session of the viewer and of no other user', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const elsewhere = await aSession(ann);
    await executeGraphql(LogoutDocument, { as: ann, input: { everywhere: true } });
    expect(await nameOf(ann)).toBe('UNAUTHENTICATED');
    expect(await nameOf(elsewhere)).toBe('UNAUTHENTICATED');
    expect(await nameOf(bob)).toBe('bob');
  });

  test('with everywhere: null or an empty input ends this session', async () => {
    const ann = await aUser('ann');
    for (const input of [{ everywhere: null }, {}, null]) {
      const session = await aSession(ann);
      await executeGraphql(LogoutDocument, { as: session, input });
      expect(await nameOf(session)).toBe('UNAUTHENTICATED');
    }
    expect(await nameOf(ann)).toBe('ann');
  });

  test('makes the viewer a guest for the rest of the document', async () => {
    const ann = await aUser('ann');
    const response = await executeGraphql(
      'mutation { logout { ok } followUser(input: { user: { username: "ann" } }) { errors { code } } }',
      { as: ann },
    );
    expect(response).toFailWith('UNAUTHENTICATED');
    expect(response.data).toEqual({ logout: { ok: true }, followUser: null });
  });
});

describe('a new password', () => {
  const change = (as: { token: string }, input: object) => executeGraphql(UpdateUserDocument, { as, input });
  const password = 'a new password';

  test('ends every other session', async () => {
    const ann = await aUser('ann');
    const others = [await aSession(ann), await aSession(ann)];
    expect(await change(ann, { password })).toSucceed();
    for (const other of others) {
      expect(await nameOf(other)).toBe('UNAUTHENTICATED');
      expect(await refresh(other.refreshToken)).toFailWith('INVALID_CREDENTIALS input refreshToken');
    }
    expect((await signIn('ann@example.com', password))?.errors).toEqual([]);
    expect((await signIn('ann@example.com'))?.errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
  });

  test('leaves the session that sets it open: its token, its refresh token and the new token work', async () => {
    const ann = await aUser('ann');
    const { data } = await change(ann, { password });
    expect(data.updateViewer).toMatchObject({ errors: [], token: expect.any(String), expiresAt: expect.any(String) });
    expect(await nameOf({ token: data.updateViewer?.token ?? '' })).toBe('ann');
    expect(await nameOf(ann)).toBe('ann');
    expect(await change(ann, { bio: 'Still here.' })).toSucceed();
    const refreshed = await refresh(ann.refreshToken);
    expect(await nameOf({ token: refreshed.data.refreshSession?.token ?? '' })).toBe('ann');
    expect(await nameOf(ann)).toBe('ann');
  });

  test('leaves a session open whose token came from refreshing, and ends what follows from another', async () => {
    const ann = await aUser('ann');
    const other = (await refresh((await aSession(ann)).refreshToken)).data.refreshSession;
    const mine = (await refresh(ann.refreshToken)).data.refreshSession;
    expect(await change({ token: mine?.token ?? '' }, { password })).toSucceed();
    expect(await nameOf({ token: mine?.token ?? '' })).toBe('ann');
    expect(await nameOf({ token: other?.token ?? '' })).toBe('UNAUTHENTICATED');
    expect(await refresh(other?.refreshToken ?? '')).toFailWith('INVALID_CREDENTIALS input refreshToken');
  });

  test('set twice leaves the session open each time', async () => {
    const ann = await aUser('ann');
    expect(await change(ann, { password })).toSucceed();
    expect(await change(ann, { password: 'yet another one' })).toSucceed();
    expect(await nameOf(ann)).toBe('ann');
  });

  test('from two sessions at once leaves at most one of them open', async () => {
    const ann = await aUser('ann');
    const other = await aSession(ann);
    const [one, two] = await Promise.all([change(ann, { password }), change(other, { password })]);
    const open = [await nameOf(ann), await nameOf(other)].filter((name) => name === 'ann');
    expect(open).toHaveLength(1);
    expect([one, two].filter(({ errors }) => errors)).toHaveLength(1);
  });

  test('ends no session of another user', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    await change(ann, { password });
    expect(await nameOf(bob)).toBe('bob');
  });

  test('requires the old one in a session opened more than 15 minutes ago', async () => {
    const ann = await aUser('ann');
    await makeOlder(ann, 16);
    for (const currentPassword of [undefined, null, '']) {
      expect(await change(ann, { password, currentPassword })).toFailWith('BLANK input currentPassword');
    }
    const wrong = await change(ann, { password, currentPassword: 'not her password' });
    expect(wrong).toFailWith('INVALID_CREDENTIALS input currentPassword');
    expect(await nameOf(ann)).toBe('ann');
    expect(await change(ann, { password, currentPassword: PASSWORD })).toSucceed();
  });

  test('does not require the old one within 15 minutes', async () => {
    const ann = await aUser('ann');
    await makeOlder(ann, 14);
    expect(await change(ann, { password })).toSucceed();
  });

  test('requires the old one in an old session that was refreshed', async () => {
    const ann = await aUser('ann');
    await makeOlder(ann, 16);
    const { data } = await refresh(ann.refreshToken);
    const response = await change({ token: data.refreshSession?.token ?? '' }, { password });
    expect(response).toFailWith('BLANK input currentPassword');
  });

  test('is the only change that requires the old one, however old the session', async () => {
    const ann = await aUser('ann');
    await makeOlder(ann, 60 * 24);
    const { data } = await change(ann, { email: 'new@example.com', bio: 'I write.' });
    expect(data.updateViewer).toMatchObject({ errors: [], token: null, expiresAt: null });
    expect(await nameOf(ann)).toBe('ann');
  });

  test('that is refused changes nothing else and ends no session', async () => {
    const ann = await aUser('ann');
    const elsewhere = await aSession(ann);
    await aUser('bob');
    expect(await change(ann, { password: 'short', bio: 'I write.' })).toFailWith('TOO_SHORT input password');
    expect(await change(ann, { password, username: 'bob' })).toFailWith('TAKEN input username');
    await makeOlder(ann, 16);
    expect(await change(ann, { password, bio: 'I write.' })).toFailWith('BLANK input currentPassword');
    expect(await nameOf(ann)).toBe('ann');
    expect(await nameOf(elsewhere)).toBe('ann');
    expect((await signIn('ann@example.com'))?.viewer?.user.bio).toBeNull();
  });

  test.each([
    ['no current password', undefined, 'BLANK input currentPassword'],
    ['a wrong current password', 'not her password', 'INVALID_CREDENTIALS input currentPassword'],
  ])('with %s and other invalid fields has all the errors', async (_, currentPassword, error) => {
    const ann = await aUser('ann');
    await aUser('bob');
    await makeOlder(ann, 16);
    const other = { username: 'bob', email: 'bob@example.com', image: 'x' };
    expect(await change(ann, { ...other, password: 'short', currentPassword })).toFailWith(
      'TOO_SHORT input password',
      'INVALID input image',
      'TAKEN input username',
      'TAKEN input email',
      error,
    );
    expect(await nameOf(ann)).toBe('ann');
  });

  test('is saved together with the other changes', async () => {
    const ann = await aUser('ann');
    const { data } = await change(ann, { password, username: 'anna', bio: 'I write.' });
    expect(data.updateViewer?.viewer?.user).toMatchObject({ username: 'anna', bio: 'I write.' });
  });

  test('in a session that ends meanwhile is UNAUTHENTICATED and not saved', async () => {
    const ann = await aUser('ann');
    const [changed] = await Promise.all([change(ann, { password }), executeGraphql(LogoutDocument, { as: ann })]);
    if (changed.errors) {
      expect(changed).toFailWith('UNAUTHENTICATED');
      expect((await signIn('ann@example.com'))?.errors).toEqual([]);
    } else {
      expect(await nameOf({ token: changed.data.updateViewer?.token ?? '' })).toMatch(/^(ann|UNAUTHENTICATED)$/);
    }
  });
});

describe('a deleted account', () => {
  test('ends its tokens at once', async () => {
    const ann = await aUser('ann');
    const elsewhere = await aSession(ann);
    expect(await executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } })).toSucceed();
    expect(await nameOf(ann)).toBe('UNAUTHENTICATED');
    expect(await nameOf(elsewhere)).toBe('UNAUTHENTICATED');
    expect(await refresh(ann.refreshToken)).toFailWith('INVALID_CREDENTIALS input refreshToken');
    expect((await signIn('ann@example.com'))?.errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
  });

  test('cannot act any more', async () => {
    const ann = await aUser('ann');
    await aUser('bob');
    await executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } });
    const article = { title: 't', description: 'd', body: 'b' };
    expect(await executeGraphql(CreateArticleDocument, { as: ann, input: article })).toFailWith('UNAUTHENTICATED');
    expect(await executeGraphql(FollowUserDocument, { as: ann, input: { user: { username: 'bob' } } })).toFailWith(
      'UNAUTHENTICATED',
    );
    expect(await executeGraphql(UpdateUserDocument, { as: ann, input: { bio: 'Still here' } })).toFailWith(
      'UNAUTHENTICATED',
    );
  });

  test('makes the viewer a guest for the rest of the document', async () => {
    const ann = await aUser('ann');
    const response = await executeGraphql(
      `mutation { deleteViewer(input: { password: "${PASSWORD}" }) { errors { code } } updateViewer(input: { bio: "x" }) { errors { code } } }`,
      { as: ann },
    );
    expect(response).toFailWith('UNAUTHENTICATED');
  });

  test('requires the password', async () => {
    const ann = await aUser('ann');
    const remove = (password: string) => executeGraphql(DeleteUserDocument, { as: ann, input: { password } });
    expect(await remove('')).toFailWith('BLANK input password');
    expect(await remove('not her password')).toFailWith('INVALID_CREDENTIALS input password');
    expect(await nameOf(ann)).toBe('ann');
  });

  test('during concurrent changes fails only with UNAUTHENTICATED', async () => {
    const ann = await aUser('ann');
    const responses = await Promise.all([
      executeGraphql(UpdateUserDocument, { as: ann, input: { password: 'a new password' } }),
      executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } }),
      executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } }),
    ]);
    for (const { errors = [] } of responses) {
      for (const { extensions } of errors) expect(extensions.code).toBe('UNAUTHENTICATED');
    }
  });
});
