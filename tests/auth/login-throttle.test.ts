// @module-tag security
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  DeleteUserDocument,
  LoginDocument,
  RegisterDocument,
  UpdateUserDocument,
} from '../../schema/generated/graphql.ts';
import { LoginThrottle } from '../../src/auth/login-throttle.ts';
import { RateLimited } from '../../src/graphql/errors.ts';
import { User } from '../../src/users/user.entity.ts';
import { errorsOf } from '../support/matchers.ts';
import { aUser, PASSWORD } from '../support/test-data.ts';
import { executeGraphql, type GraphQLResponse, orm, post, server, settings } from '../support/test-server.ts';

const login = (password: string, email = 'ann@example.com') =>
  executeGraphql(LoginDocument, { input: { email, password } });

const ANN = { id: 1 };

const isLimited = (response: GraphQLResponse<unknown>) => response.errors?.[0]?.extensions.code === 'RATE_LIMITED';

describe('guessing a password', () => {
  beforeEach(() => aUser('ann'));

  test('is limited after ten wrong attempts, even with the right password', async () => {
    for (let guess = 1; guess <= 10; guess += 1)
      expect(await login(`wrong ${guess}`)).toFailWith('INVALID_CREDENTIALS');
    expect(await login('wrong again')).toFailWith('RATE_LIMITED');
    expect(await login(PASSWORD)).toFailWith('RATE_LIMITED');
  });

  test('returns the time to wait in the error and in the Retry-After header', async () => {
    for (let guess = 1; guess <= 10; guess += 1) await login('wrong');
    const query = `mutation { login(input: { email: "ANN@example.com", password: "wrong" }) { token } }`;
    const { status, headers, body } = await post({ query });
    const retryAfter = Number(body.errors?.[0]?.extensions.retryAfter);
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toBe(String(retryAfter));
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(15 * 60);
  });

  test('does not reveal whether the account exists', async () => {
    const email = 'nobody@example.com';
    for (let guess = 1; guess <= 10; guess += 1) expect(await login('wrong', email)).toFailWith('INVALID_CREDENTIALS');
    expect(await login('wrong', email)).toFailWith('RATE_LIMITED');
  });

  test('is limited per account', async () => {
    await aUser('bob');
    for (let guess = 1; guess <= 11; guess += 1) await login('wrong');
    expect(await login(PASSWORD, 'bob@example.com')).toSucceed();
  });

  test('restarts the count after the right password', async () => {
    for (let round = 1; round <= 3; round += 1) {
      for (let guess = 1; guess <= 9; guess += 1) await login('wrong');
      expect(await login(PASSWORD)).toSucceed();
    }
  });

  test('is not faster with concurrent attempts', async () => {
    const responses = await Promise.all(Array.from({ length: 30 }, () => login('wrong')));
    expect(responses.filter((response) => !isLimited(response))).toHaveLength(10);
  });

  test('is limited with a stolen token too', async () => {
    const as = await aUser('bob');
    for (let guess = 1; guess <= 10; guess += 1) {
      expect(await executeGraphql(DeleteUserDocument, { as, input: { password: 'wrong' } })).toFailWith(
        'INVALID_CREDENTIALS input password',
      );
    }
    expect(await executeGraphql(DeleteUserDocument, { as, input: { password: PASSWORD } })).toFailWith('RATE_LIMITED');
  });
});

describe('with a stolen session, from a new address each time', () => {
  const deletes = (guess: string) => `deleteViewer(input: { password: "${guess}" }) { errors { code } }`;
  const changes = (n: number, guess: string) =>
    `updateViewer(input: { email: "new${n}@example.com", username: "new${n}", bio: "${n}", image: "https://a.example/${n}", password: "another password", currentPassword: "${guess}" }) { errors { code } }`;
  const renames = (n: number, guess: string) =>
    `named: updateViewer(input: { email: "new${n}@example.com", username: "new${n}" }) { errors { code } } login(input: { email: "new${n}@example.com", password: "${guess}" }) { errors { code } }`;

  test.each<[what: string, guesses: number, mutation: (n: number, guess: string) => string]>([
    ['deletes the account', 20, (_n, guess) => deletes(guess)],
    ['changes everything in one input', 20, changes],
    ['changes the e-mail, then signs in with the new one', 20, renames],
    [
      'does all of that with a new token each time',
      300,
      (n, guess) => `${renames(n, guess)} ${changes(n, guess)} ${deletes(guess)}`,
    ],
  ])('a guesser who %s has ten tries in %i, and the owner still signs in', async (_, guesses, mutation) => {
    const ann = await aUser('ann');
    await orm.em.fork().execute(`update sessions set opened_at = now() - interval '1 day'`);
    const home = '203.0.113.9';
    expect(await signIn(ann.email, home)).toSucceed();

    let stolen = ann as { token: string; refreshToken: string };
    const outcomes: string[] = [];
    for (let n = 0; n < guesses; n += 1) {
      const remoteAddress = `198.51.${100 + Math.floor(n / 250)}.${(n % 250) + 1}`;
      const refreshed = await ask(
        `refreshSession(input: { refreshToken: "${stolen.refreshToken}" }) { token refreshToken }`,
      );
      stolen = (refreshed.data as { refreshSession: typeof stolen }).refreshSession;
      const guess = n === guesses - 1 ? PASSWORD : `guess ${n}`;
      outcomes.push(...errorsOf(await ask(mutation(n, guess), { remoteAddress, as: stolen })));
    }
    expect(outcomes.filter((outcome) => outcome.startsWith('INVALID_CREDENTIALS'))).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === 'RATE_LIMITED').length).toBeGreaterThanOrEqual(guesses - 10);
    expect(new Set(outcomes.map((outcome) => outcome.split(' ')[0]))).toEqual(
      new Set(['INVALID_CREDENTIALS', 'RATE_LIMITED']),
    );
    const { email } = await orm.em.fork().findOneOrFail(User, ann.id);
    expect(await signIn(email, home)).toSucceed();
  });

  const signIn = (email: string, remoteAddress: string) =>
    ask(`login(input: { email: "${email}", password: "${PASSWORD}" }) { errors { code } }`, { remoteAddress });

  async function ask(
    mutation: string,
    { remoteAddress = '198.18.0.1', as }: { remoteAddress?: string; as?: { token: string } } = {},
  ) {
    const headers = {
      ...(as && { authorization: `Token ${as.token}` }),
      'x-forwarded-for': randomUUID(),
      'x-request-id': randomUUID(),
      'user-agent': randomUUID(),
    };
    const payload = { query: `mutation { ${mutation} }` };
    const response = await server.inject({ method: 'POST', url: '/graphql', headers, payload, remoteAddress });
    return response.json() as GraphQLResponse<unknown>;
  }
});

describe('from many addresses', () => {
  const right = async () => true;
  const wrong = async () => false;
  const limited = { extensions: { code: 'RATE_LIMITED' } };
  let throttle: LoginThrottle;
  beforeEach(() => {
    throttle = new LoginThrottle(orm.em, settings);
  });

  test('a password can be guessed ten times a minute in total', async () => {
    for (let host = 1; host <= 10; host += 1) await throttle.attempt(ANN, `192.0.2.${host}`, wrong);
    await expect(throttle.attempt(ANN, '192.0.2.11', wrong)).rejects.toMatchObject(limited);
  });

  test('no password is checked beyond the limit, also when all come at once', async () => {
    const check = vi.fn(wrong);
    const attempts = Array.from({ length: 30 }, () => throttle.attempt(ANN, '192.0.2.1', check));
    const refused = (await Promise.allSettled(attempts)).filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(20);
    expect(check).toHaveBeenCalledTimes(10);
  });

  test('the owner is not locked out at an address where they have signed in', async () => {
    expect(await throttle.attempt(ANN, '198.51.100.1', right)).toBe(true);
    for (let host = 1; host <= 20; host += 1) await throttle.attempt(ANN, `192.0.2.${host}`, wrong).catch(() => {});
    expect(await throttle.attempt(ANN, '198.51.100.1', right)).toBe(true);
    await expect(throttle.attempt(ANN, '203.0.113.1', right)).rejects.toMatchObject(limited);
  });

  test('an attempt that the full hash queue refuses is not counted', async () => {
    const untried = async () => {
      throw new RateLimited(1);
    };
    for (let round = 1; round <= 20; round += 1)
      await expect(throttle.attempt(ANN, '192.0.2.1', untried)).rejects.toMatchObject(limited);
    expect(await throttle.attempt(ANN, '192.0.2.1', right)).toBe(true);
  });

  test('an attempt that is limited because of other addresses is not counted', async () => {
    for (let host = 1; host <= 10; host += 1) await throttle.attempt(ANN, `192.0.2.${host}`, wrong);
    for (let round = 1; round <= 20; round += 1)
      await expect(throttle.attempt(ANN, '192.0.2.11', right)).rejects.toMatchObject(limited);
    await orm.em.fork().execute(`delete from rate_limits where key like 'account:%'`); // a minute later
    expect(await throttle.attempt(ANN, '192.0.2.11', right)).toBe(true);
  });

  test('one address can try at most a hundred accounts', async () => {
    for (let account = 1; account <= 100; account += 1) await throttle.attempt({ id: account }, '192.0.2.1', wrong);
    await expect(throttle.attempt({ id: 101 }, '192.0.2.1', wrong)).rejects.toMatchObject(limited);
    expect(await throttle.attempt({ id: 101 }, '192.0.2.2', right)).toBe(true);
  });

  test('an IPv6 /64 network counts as one address, and an IPv4-mapped address as the IPv4 one', async () => {
    for (let guess = 1; guess <= 10; guess += 1) await throttle.attempt(ANN, `2001:db8::${guess}`, wrong);
    for (let guess = 1; guess <= 10; guess += 1) await throttle.attempt({ id: 2 }, '192.0.2.1', wrong);
    await orm.em.fork().execute(`delete from rate_limits where key like 'account:%'`); // a minute later
    await expect(throttle.attempt(ANN, '2001:db8::ffff', wrong)).rejects.toMatchObject(limited);
    await expect(throttle.attempt({ id: 2 }, '::ffff:192.0.2.1', wrong)).rejects.toMatchObject(limited);
  });
});

describe('after the clock was wrong', () => {
  const HOUR = 3_600_000;
  const wait = async (throttle: LoginThrottle) => {
    const refusal: RateLimited = await throttle
      .attempt(ANN, '192.0.2.1', async () => false)
      .then(
        () => expect.fail('was allowed'),
        (error) => error,
      );
    return refusal.extensions.retryAfter;
  };

  test.each([
    ['two minutes', 120_000],
    ['an hour', HOUR],
  ])('servers whose clocks differ by %s give ten tries together', async (_, ahead) => {
    onTestFinished(() => void vi.useRealTimers());
    const [one, other] = [new LoginThrottle(orm.em, settings), new LoginThrottle(orm.em, settings)];
    const check = vi.fn(async () => false);
    const began = Date.now();
    for (let guess = 0; guess < 30; guess += 1) {
      vi.useFakeTimers({ toFake: ['Date'], now: began + (guess % 2) * ahead });
      await (guess % 2 ? one : other).attempt(ANN, `192.0.2.${guess}`, check).catch(() => {});
    }
    expect(check).toHaveBeenCalledTimes(10);
  });

  test('no attempt waits for longer than a window', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24 * HOUR });
    onTestFinished(() => void vi.useRealTimers());
    const throttle = new LoginThrottle(orm.em, settings);
    for (let guess = 1; guess <= 10; guess += 1) await throttle.attempt(ANN, '192.0.2.1', async () => false);
    vi.useRealTimers();
    expect(await wait(throttle)).toBeLessThanOrEqual(15 * 60);
  });

  test('no longer window remains, even one that another process started', async () => {
    const throttle = new LoginThrottle(orm.em, settings);
    for (let guess = 1; guess <= 10; guess += 1) await throttle.attempt(ANN, '192.0.2.1', async () => false);
    await orm.em.fork().execute(`update rate_limits set expire = expire + ${24 * HOUR}`);
    expect(await wait(throttle)).toBeLessThanOrEqual(15 * 60);
    expect(await wait(throttle)).toBeLessThanOrEqual(15 * 60);
  });
});

test('one address can register a hundred accounts an hour, and the counters contain no names or addresses', async () => {
  const throttle = new LoginThrottle(orm.em, settings);
  const register = (username: string) =>
    executeGraphql(RegisterDocument, { input: { username, email: `${username}@example.com`, password: PASSWORD } });
  for (let account = 1; account <= 99; account += 1) await throttle.countRegistration('127.0.0.1');
  expect(await register('ann')).toSucceed();
  expect(await register('bob')).toFailWith('RATE_LIMITED');
  await login('wrong');
  const kept = await orm.em.fork().execute('select * from rate_limits');
  expect(kept.length).toBeGreaterThan(1);
  expect(JSON.stringify(kept)).not.toMatch(/ann|127\.0/);
});

describe('a refused registration counts like an accepted one', () => {
  test.each([
    ['with a taken name and address', {}],
    ['with a taken address and a short password', { username: 'new', password: 'x' }],
    ['with a taken name and an invalid address', { email: 'x' }],
  ])('%s', async (_, changes) => {
    const throttle = new LoginThrottle(orm.em, settings);
    await aUser('ann');
    const input = { username: 'ann', email: 'ann@example.com', password: PASSWORD, ...changes };
    for (let attempt = 1; attempt <= 99; attempt += 1) await throttle.countRegistration('127.0.0.1');
    expect((await executeGraphql(RegisterDocument, { input })).errors).toBeUndefined();
    expect(await executeGraphql(RegisterDocument, { input })).toFailWith('RATE_LIMITED');
  });
});

test('wrong current passwords beside other invalid fields are limited like sign-ins', async () => {
  const ann = await aUser('ann');
  await orm.em.fork().execute(`update sessions set opened_at = opened_at - interval '16 minutes'`);
  const guess = () =>
    executeGraphql(UpdateUserDocument, { as: ann, input: { password: 'x', currentPassword: 'a guess' } });
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    expect(await guess()).toFailWith('TOO_SHORT input password', 'INVALID_CREDENTIALS input currentPassword');
  }
  expect(await guess()).toFailWith('RATE_LIMITED');
});

test('sign-ins beyond the hash queue are refused at once, and reads continue', async () => {
  const people = Array.from({ length: 60 }, (_, person) => login('wrong', `somebody${person}@example.com`));
  const articles = await post({ query: '{ articles { totalCount } }' });
  expect(articles.body.data).toEqual({ articles: { totalCount: 0 } });
  const refusals = (await Promise.all(people)).filter(isLimited);
  expect(refusals.length).toBeGreaterThan(0);
  expect(refusals.every(({ errors }) => errors?.[0]?.extensions.retryAfter === 1)).toBe(true);
});
