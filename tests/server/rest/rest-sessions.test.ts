// @module-tag security
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { rest } from '../../support/realworld.ts';
import { statementsDuring } from '../../support/statements.ts';
import { aUser, PASSWORD } from '../../support/test-data.ts';
import { executeGraphql, orm } from '../../support/test-server.ts';

/** Clients of REST cannot refresh a session, so using its token does. */

const DAY = 86_400;

async function signIn() {
  const { email } = await aUser('ann');
  await orm.em.fork().execute('delete from sessions');
  const { body } = await rest('POST /users/login', { body: { user: { email, password: PASSWORD } } });
  return body.user.token as string;
}

const change = (set: string) => orm.em.fork().execute(`update sessions set ${set}`);

/** Days that the session lives if it is not used, rounded. */
async function daysLeft(): Promise<number> {
  const [row] = await orm.em
    .fork()
    .execute<{ days: number }[]>(
      'select round(extract(epoch from expires_at - now()) / 86400)::float8 as days from sessions',
    );
  return row?.days ?? 0;
}

const ended = { status: 401, body: { errors: { token: ['is invalid or has expired'] } } };

describe('a token of REST', () => {
  test('does not expire before the session does, which is a year old at most', async () => {
    const { iat = 0, exp = 0 } = jwt.decode(await signIn(), { json: true }) ?? {};
    expect(exp - iat).toBe(365 * DAY);
  });

  test.each(['GET /user', 'GET /articles', 'DELETE /profiles/ann/follow'])('prolongs its session: %s', async (call) => {
    const token = await signIn();
    await change(`expires_at = now() + interval '1 day'`);
    expect((await rest(call, { token })).status).toBe(200);
    expect(await daysLeft()).toBe(30);
    expect(await rest('GET /user', { token })).toMatchObject({ status: 200, body: { user: { token } } });
  });

  test('writes for it no more than once an hour', async () => {
    const token = await signIn();
    expect(await statementsDuring(() => rest('GET /user', { token }))).toHaveLength(1);
    await change(`expires_at = expires_at - interval '61 minutes'`);
    expect(await statementsDuring(() => rest('GET /user', { token }))).toHaveLength(2);
    expect(await statementsDuring(() => rest('GET /user', { token }))).toHaveLength(1);
  });

  test('does not prolong its session past a year', async () => {
    const token = await signIn();
    await change(`opened_at = now() - interval '355 days', expires_at = now() + interval '1 day'`);
    await rest('GET /user', { token });
    expect(await daysLeft()).toBe(10);
  });

  test('ends when it was not used for so long that its session has ended', async () => {
    const token = await signIn();
    await change(`expires_at = now() - interval '1 second'`);
    expect(await rest('GET /user', { token })).toEqual(ended);
    expect(await daysLeft()).toBe(0);
  });

  test('ends with sign-out, with a password changed elsewhere, and with the account', async () => {
    const token = await signIn();
    await executeGraphql('mutation { logout { ok } }', { as: { token } });
    expect(await rest('GET /user', { token })).toEqual(ended);

    const login = async () =>
      (await rest('POST /users/login', { body: { user: { email: 'ann@example.com', password: PASSWORD } } })).body.user
        .token as string;
    const [here, elsewhere] = [await login(), await login()];
    const user = { password: 'another password' };
    expect((await rest('PUT /user', { token: elsewhere, body: { user } })).status).toBe(200);
    expect(await rest('GET /user', { token: here })).toEqual(ended);
    expect((await rest('GET /user', { token: elsewhere })).status).toBe(200);

    await executeGraphql('mutation { deleteViewer(input: { password: "another password" }) { errors { code } } }', {
      as: { token: elsewhere },
    });
    expect(await rest('GET /user', { token: elsewhere })).toEqual(ended);
  });
});

test('a token of GraphQL expires as it would without REST, whose answers repeat it', async () => {
  const { token } = await aUser('ann');
  await change(`expires_at = now() + interval '1 day'`);
  expect(await rest('GET /user', { token })).toMatchObject({ status: 200, body: { user: { token } } });
  expect(await rest('PUT /user', { token, body: { user: { password: 'another one' } } })).toMatchObject({
    body: { user: { token } },
  });
  expect(await daysLeft()).toBe(1);
});
