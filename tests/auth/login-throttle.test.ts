import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { DeleteUserDocument, LoginDocument, RegisterDocument } from '../../schema/generated/graphql.ts';
import { LoginThrottle } from '../../src/auth/login-throttle.ts';
import { RateLimited } from '../../src/graphql/errors.ts';
import { type Answer, blog, orm, post } from '../support/blog.ts';
import { aUser, PASSWORD } from '../support/people.ts';

const login = (password: string, email = 'ann@example.com') => blog(LoginDocument, { input: { email, password } });

const waits = (answer: Answer<unknown>) => answer.errors?.[0]?.extensions.code === 'RATE_LIMITED';

describe('guessing a password', () => {
  beforeEach(() => aUser('ann'));

  test('has to wait after ten wrong ones, then with the right one too', async () => {
    for (let guess = 1; guess <= 10; guess += 1)
      expect(await login(`wrong ${guess}`)).toFailWith('INVALID_CREDENTIALS');
    expect(await login('wrong again')).toFailWith('RATE_LIMITED');
    expect(await login(PASSWORD)).toFailWith('RATE_LIMITED');
  });

  test('is told when there is another try, in the answer and in the header', async () => {
    for (let guess = 1; guess <= 10; guess += 1) await login('wrong');
    const query = `mutation { login(input: { email: "ANN@example.com", password: "wrong" }) { token } }`;
    const { status, headers, body } = await post({ query });
    const retryAfter = Number(body.errors?.[0]?.extensions.retryAfter);
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toBe(String(retryAfter));
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(15 * 60);
  });

  test('says no more of an account that is not there', async () => {
    const email = 'nobody@example.com';
    for (let guess = 1; guess <= 10; guess += 1) expect(await login('wrong', email)).toFailWith('INVALID_CREDENTIALS');
    expect(await login('wrong', email)).toFailWith('RATE_LIMITED');
  });

  test('is limited for each account by itself', async () => {
    await aUser('bob');
    for (let guess = 1; guess <= 11; guess += 1) await login('wrong');
    expect(await login(PASSWORD, 'bob@example.com')).toSucceed();
  });

  test('begins anew after the right password', async () => {
    for (let round = 1; round <= 3; round += 1) {
      for (let guess = 1; guess <= 9; guess += 1) await login('wrong');
      expect(await login(PASSWORD)).toSucceed();
    }
  });

  test('is no quicker with many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => login('wrong')));
    expect(answers.filter((answer) => !waits(answer))).toHaveLength(10);
  });

  test('is limited with a stolen token as well', async () => {
    const as = await aUser('bob');
    for (let guess = 1; guess <= 10; guess += 1) {
      expect(await blog(DeleteUserDocument, { as, input: { password: 'wrong' } })).toFailWith(
        'INVALID_CREDENTIALS input password',
      );
    }
    expect(await blog(DeleteUserDocument, { as, input: { password: PASSWORD } })).toFailWith('RATE_LIMITED');
  });
});

describe('from many addresses', () => {
  const right = async () => true;
  const wrong = async () => false;
  const refused = { extensions: { code: 'RATE_LIMITED' } };
  let throttle: LoginThrottle;
  beforeEach(() => {
    throttle = new LoginThrottle(orm.em);
  });

  test('a password can be guessed ten times a minute, all together', async () => {
    for (let host = 1; host <= 10; host += 1) await throttle.attempt('ann', `192.0.2.${host}`, wrong);
    await expect(throttle.attempt('ann', '192.0.2.11', wrong)).rejects.toMatchObject(refused);
  });

  test('nobody locks the owner out where they have signed in before', async () => {
    expect(await throttle.attempt('ann', '198.51.100.1', right)).toBe(true);
    for (let host = 1; host <= 20; host += 1) await throttle.attempt('ann', `192.0.2.${host}`, wrong).catch(() => {});
    expect(await throttle.attempt('ann', '198.51.100.1', right)).toBe(true);
    await expect(throttle.attempt('ann', '203.0.113.1', right)).rejects.toMatchObject(refused);
  });

  test('what nobody had a hand free to try was no guess', async () => {
    const untried = async () => {
      throw new RateLimited(1);
    };
    for (let round = 1; round <= 20; round += 1)
      await expect(throttle.attempt('ann', '192.0.2.1', untried)).rejects.toMatchObject(refused);
    expect(await throttle.attempt('ann', '192.0.2.1', right)).toBe(true);
  });

  test('who is told to wait because of others has not guessed', async () => {
    for (let host = 1; host <= 10; host += 1) await throttle.attempt('ann', `192.0.2.${host}`, wrong);
    for (let round = 1; round <= 20; round += 1)
      await expect(throttle.attempt('ann', '192.0.2.11', right)).rejects.toMatchObject(refused);
    await orm.em.fork().execute(`delete from rate_limits where key like 'account:%'`); // a minute later
    expect(await throttle.attempt('ann', '192.0.2.11', right)).toBe(true);
  });

  test('one address can try a hundred accounts, not more', async () => {
    for (let account = 1; account <= 100; account += 1) await throttle.attempt(`user${account}`, '192.0.2.1', wrong);
    await expect(throttle.attempt('user101', '192.0.2.1', wrong)).rejects.toMatchObject(refused);
    expect(await throttle.attempt('user101', '192.0.2.2', right)).toBe(true);
  });

  test('those of one IPv6 network are one, and an IPv4 address is itself however it is written', async () => {
    for (let guess = 1; guess <= 10; guess += 1) await throttle.attempt('ann', `2001:db8::${guess}`, wrong);
    await expect(throttle.attempt('ann', '2001:db8::ffff', wrong)).rejects.toMatchObject(refused);
    for (let guess = 1; guess <= 10; guess += 1) await throttle.attempt('bob', '192.0.2.1', wrong);
    await expect(throttle.attempt('bob', '::ffff:192.0.2.1', wrong)).rejects.toMatchObject(refused);
  });
});

describe('a clock that was wrong', () => {
  const HOUR = 3_600_000;
  const wait = async (throttle: LoginThrottle) => {
    const refusal: RateLimited = await throttle
      .attempt('ann', '192.0.2.1', async () => false)
      .then(
        () => expect.fail('was allowed'),
        (error) => error,
      );
    return refusal.extensions.retryAfter;
  };

  test('keeps nobody out for longer than a window once it is right', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24 * HOUR });
    onTestFinished(() => void vi.useRealTimers());
    const throttle = new LoginThrottle(orm.em);
    for (let guess = 1; guess <= 10; guess += 1) await throttle.attempt('ann', '192.0.2.1', async () => false);
    vi.useRealTimers();
    expect(await wait(throttle)).toBeLessThanOrEqual(15 * 60);
  });

  test('leaves no window behind that lasts, also where others began it', async () => {
    const throttle = new LoginThrottle(orm.em);
    for (let guess = 1; guess <= 10; guess += 1) await throttle.attempt('ann', '192.0.2.1', async () => false);
    await orm.em.fork().execute(`update rate_limits set expire = expire + ${24 * HOUR}`);
    expect(await wait(throttle)).toBeLessThanOrEqual(15 * 60);
    expect(await wait(throttle)).toBeLessThanOrEqual(15 * 60);
  });
});

test('a hundred accounts an hour are made from one address, and what the limits keep tells of nobody', async () => {
  const throttle = new LoginThrottle(orm.em);
  const register = (username: string) =>
    blog(RegisterDocument, { input: { username, email: `${username}@example.com`, password: PASSWORD } });
  for (let account = 1; account <= 99; account += 1) await throttle.countRegistration('127.0.0.1');
  expect(await register('ann')).toSucceed();
  expect(await register('bob')).toFailWith('RATE_LIMITED');
  await login('wrong');
  const kept = await orm.em.fork().execute('select * from rate_limits');
  expect(kept.length).toBeGreaterThan(1);
  expect(JSON.stringify(kept)).not.toMatch(/ann|127\.0/);
});

test('more sign-ins than the machine has hands for are refused at once, and reads go on', async () => {
  const people = Array.from({ length: 60 }, (_, person) => login('wrong', `somebody${person}@example.com`));
  const articles = await post({ query: '{ articles { totalCount } }' });
  expect(articles.body.data).toEqual({ articles: { totalCount: 0 } });
  const refusals = (await Promise.all(people)).filter(waits);
  expect(refusals.length).toBeGreaterThan(0);
  expect(refusals.every(({ errors }) => errors?.[0]?.extensions.retryAfter === 1)).toBe(true);
});
