import { createHash } from 'node:crypto';
import { MikroORM } from '@mikro-orm/postgresql';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { ormConfig } from '../../../mikro-orm.config.ts';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { emptyDatabase } from '../../support/empty-database.ts';
import { address, orm, post, settings } from '../../support/test-server.ts';

const QUERY = '{ articles { totalCount } }';

async function request(path: string, init: RequestInit = {}) {
  const response = await fetch(`${address}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text) };
}

const get = (parameters: Record<string, string>, headers = {}) =>
  request(`/graphql?${new URLSearchParams(parameters)}`, {
    headers: { 'apollo-require-preflight': 'yes', ...headers },
  });

const send = (body: string, contentType = 'application/json') =>
  request('/graphql', { method: 'POST', headers: { 'content-type': contentType }, body });

test('POST executes a query with variables', async () => {
  const query = 'query($first: Int) { articles(first: $first) { totalCount } }';
  expect(await post({ query, variables: { first: 1 } })).toMatchObject({
    status: 200,
    body: { data: { articles: { totalCount: 0 } }, extensions: { cost: { requested: 1002, maximum: 5000 } } },
  });
});

test('GET executes a query', async () => {
  expect(await get({ query: QUERY })).toMatchObject({ status: 200, body: { data: { articles: { totalCount: 0 } } } });
  const query = 'query($first: Int) { articles(first: $first) { totalCount } }';
  const variables = JSON.stringify({ first: 0 });
  expect((await get({ query, variables })).body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
});

test('an unacceptable response type is rejected before execution', async () => {
  const query =
    'mutation { register(input: { username: "ann", email: "ann@example.com", password: "password123" }) { token } }';
  const headers = { 'content-type': 'application/json', accept: 'image/png' };
  const response = await request('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) });
  expect(response.status).toBe(406);
  expect(response.body.errors[0].message).toMatch(
    /^The accept header is "image\/png"; it must allow application\/json/,
  );
  expect((await post({ query: '{ user(by: { username: "ann" }) { id } }' })).body.data).toEqual({ user: null });
});

test('GET does not execute mutations', async () => {
  const query = 'mutation { logout { ok } }';
  const { status, body } = await get({ query });
  expect(status).toBe(405);
  expect(body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
});

test('a GET that another site can send without a preflight is rejected', async () => {
  const { status, body } = await request(`/graphql?${new URLSearchParams({ query: QUERY })}`, {
    headers: { 'content-type': 'text/plain' },
  });
  expect(status).toBe(400);
  expect(body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
});

test('operationName selects the operation', async () => {
  const query = 'query One { articles { totalCount } } query Two { tags { totalCount } }';
  expect((await post({ query, operationName: 'Two' })).body).toMatchObject({ data: { tags: { totalCount: 0 } } });
  for (const operationName of ['Three', undefined]) {
    const { body } = await post({ query, operationName });
    expect(body).toFailWith('BAD_USER_INPUT');
  }
});

test('a body that is not a GraphQL request is BAD_USER_INPUT', async () => {
  const bodies = ['', '{', '[]', '{}', 'null', '5', '"text"', '{"query":5}', '{"query":null}', '{"query":""}'];
  for (const body of [...bodies, `{"query":"${QUERY}","variables":5}`, `{"query":"${QUERY}","operationName":{}}`]) {
    const response = await send(body);
    expect(response.status, body).toBe(400);
    expect(response.body.errors[0].extensions.code, body).toBe('BAD_USER_INPUT');
  }
});

test('syntax and validation errors have their codes', async () => {
  const parse = await post({ query: '{ articles ' });
  expect(parse.body).toFailWith('GRAPHQL_PARSE_FAILED');
  const validate = await post({ query: '{ nonsense }' });
  expect(validate.body).toFailWith('GRAPHQL_VALIDATION_FAILED');
});

test('a variable of the wrong type is BAD_USER_INPUT', async () => {
  const query = 'query($first: Int) { articles(first: $first) { totalCount } }';
  for (const first of ['1', 1.5, 2 ** 31, true, {}, [1, 2]]) {
    expect((await post({ query, variables: { first } })).body, JSON.stringify(first)).toFailWith('BAD_USER_INPUT');
  }
});

test('other content types are rejected', async () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/xml',
  ]) {
    const { status, body } = await send(JSON.stringify({ query: QUERY }), type);
    expect(status, type).toBeGreaterThanOrEqual(400);
    expect(status, type).toBeLessThan(500);
    expect(body.errors[0].extensions.code, type).toBe('BAD_USER_INPUT');
  }
});

test('a body over the limit is rejected before it is read', async () => {
  const { status, body } = await send(JSON.stringify({ query: QUERY, variables: { more: 'x'.repeat(1_600_000) } }));
  expect(status).toBe(413);
  expect(body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
});

test('client errors reveal no implementation details', async () => {
  for (const response of [await send('{'), await send('x', 'text/plain'), await post({ query: '{ nonsense }' })]) {
    expect(JSON.stringify(response.body)).not.toMatch(/node_modules|stacktrace|at .*\.[jt]s:/);
  }
});

test('other methods are 405, other paths 404', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH']) expect((await request('/graphql', { method })).status).toBe(405);
  expect((await request('/nothing')).status).toBe(404);
});

test('/healthz reports liveness, /readyz readiness', async () => {
  expect(await request('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(await request('/readyz')).toMatchObject({ status: 200, body: { ready: true } });
});

test('with pending migrations the server is alive but not ready, and lists them', async () => {
  const empty = await emptyDatabase();
  const server = await serverOn(empty.orm);
  expect((await server.inject('/healthz')).statusCode).toBe(200);
  const ready = await server.inject('/readyz');
  expect(ready.statusCode).toBe(503);
  expect(ready.json()).toMatchObject({ ready: false });
  for (const { name } of await empty.orm.migrator.getPending()) expect(ready.json().fault).toContain(name);

  const response = await server.inject({ method: 'POST', url: '/graphql', payload: { query: QUERY } });
  expect(response.statusCode).toBe(503);
  const [error] = response.json().errors;
  expect(error.extensions).toEqual({ code: 'SERVICE_UNAVAILABLE', retryable: true });
  expect(error.message).toContain('npx mikro-orm migration:up');
  await server.close();
  await empty.remove();
});

test('a server becomes ready when pending migrations are applied, without a restart', async () => {
  const empty = await emptyDatabase();
  const server = await serverOn(empty.orm);
  expect((await server.inject('/readyz')).statusCode).toBe(503);
  await empty.orm.migrator.up();
  expect((await server.inject('/readyz')).statusCode).toBe(200);
  const response = await server.inject({ method: 'POST', url: '/graphql', payload: { query: QUERY } });
  expect(response.json()).toMatchObject({ data: { articles: { totalCount: 0 } } });
  await server.close();
  await empty.remove();
});

test('an unreachable database makes the server unready, and clients get no details', async () => {
  const connection = { clientUrl: 'postgresql://nobody:secret@127.0.0.1:1/none' };
  const nowhere = await MikroORM.init(ormConfig({ connection }));
  const server = await serverOn(nowhere);
  const ready = await server.inject('/readyz');
  expect(ready.statusCode).toBe(503);
  expect(ready.json()).toEqual({ ready: false, fault: 'The database does not answer.' });
  const response = await server.inject({ method: 'POST', url: '/graphql', payload: { query: QUERY } });
  expect(response.statusCode).toBeGreaterThanOrEqual(500);
  expect(response.body).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|nobody|secret/);
  await server.close();
  await nowhere.close();
});

test('a server is ready before its first statement', async () => {
  const empty = await emptyDatabase();
  const server = await serverOn(empty.orm, 'not checked');
  expect((await server.inject('/readyz')).statusCode).toBe(200);
  await server.close();
  await empty.remove();
});

const serverOn = (other: MikroORM, migrations: 'checked' | 'not checked' = 'checked') =>
  buildServer({
    em: other.em,
    log: pino({ level: 'silent' }),
    settings,
    readiness: new Readiness(other, null, migrations),
  });

test('a database with all migrations applied has no migration problem', async () => {
  expect(await new Readiness(orm, null, 'checked').migrationProblem()).toBeNull();
});

test('OPTIONS without an origin has no body and no error', async () => {
  const response = await fetch(`${address}/graphql`, { method: 'OPTIONS' });
  expect([response.status, await response.text()]).toEqual([204, '']);
});

describe('an empty parameter counts as absent', () => {
  const GET = { headers: { 'apollo-require-preflight': '1' } };
  const SUCCESS = { data: { tags: { totalCount: 0 } } };
  const NAMED = 'query Tags { tags { totalCount } }';

  test.each(['operationName', 'variables', 'extensions', 'documentId'])('%s', async (name) => {
    expect((await post({ query: NAMED, [name]: '' })).body).toMatchObject(SUCCESS);
    const parameters = new URLSearchParams({ query: NAMED, [name]: '' });
    expect(await (await fetch(`${address}/graphql?${parameters}`, GET)).json()).toMatchObject(SUCCESS);
  });

  test.each(['variables', 'extensions'])('null as %s', async (name) => {
    expect((await post({ query: NAMED, [name]: null })).body).toMatchObject(SUCCESS);
    const parameters = new URLSearchParams({ query: NAMED, [name]: 'null' });
    expect(await (await fetch(`${address}/graphql?${parameters}`, GET)).json()).toMatchObject(SUCCESS);
  });

  test('all of them together, beside variables that are not empty', async () => {
    const query = 'query One($first: Int) { tags(first: $first) { totalCount } }';
    const empty = { operationName: '', extensions: '', documentId: '' };
    expect((await post({ query, variables: { first: 1 }, ...empty })).body).toMatchObject(SUCCESS);
    const parameters = new URLSearchParams({ query, variables: '{"first":1}', ...empty });
    expect(await (await fetch(`${address}/graphql?${parameters}`, GET)).json()).toMatchObject(SUCCESS);
  });

  test('an empty document beside the hash of a known one', async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(NAMED).digest('hex') } };
    await post({ query: NAMED, extensions });
    expect((await post({ query: '', operationName: '', extensions })).body).toMatchObject(SUCCESS);
  });

  test('but not a name that is not empty, and several operations still need one', async () => {
    expect((await post({ query: NAMED, operationName: ' ' })).body).toFailWith('BAD_USER_INPUT');
    const query = 'query One { tags { totalCount } } query Two { tags { totalCount } }';
    expect((await post({ query, operationName: '' })).body).toFailWith('BAD_USER_INPUT');
    expect((await post({ query: '' })).status).toBe(400);
  });
});
