import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { address, orm, settings } from '../../support/test-server.ts';

const QUERY = `query=${encodeURIComponent('{ tags { totalCount } }')}`;
const MUTATION = `query=${encodeURIComponent('mutation { logout { ok } }')}`;
const CSRF_HEADER = { 'apollo-require-preflight': '1' };
const LONG_PATH = `/playground/${'x'.repeat(101)}`;
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  fetch(address + path, { method, redirect: 'manual', headers: { ...CSRF_HEADER, ...headers }, ...(body && { body }) });

describe('slashes at the end of a path, and double ones, have no effect', () => {
  test.each(['/graphql/', '//graphql', '/graphql//'])('POST %s', async (path) => {
    const body = JSON.stringify({ query: '{ tags { totalCount } }' });
    const response = await send('POST', path, { 'content-type': 'application/json' }, body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ data: { tags: { totalCount: 0 } } });
  });

  test.each([`/graphql/?${QUERY}`, '/healthz/', '/readyz/', '/version/', '/schema.graphql/', '/playground/'])(
    'GET %s',
    async (path) => {
      expect((await send('GET', path)).status).toBe(200);
    },
  );

  test('the Playground is at /graphql/ too', async () => {
    const response = await send('GET', '/graphql/', BROWSER);
    expect(await response.text()).toContain('<title>Conduit GraphQL Playground</title>');
  });

  test('a document that is not valid is refused as at /graphql', async () => {
    const [withSlash, without] = await Promise.all(
      ['/graphql/', '/graphql'].map(async (path) => (await send('GET', `${path}?query=%7Bnonsense%7D`)).json()),
    );
    expect(withSlash).toEqual(without);
  });
});

describe('HEAD has the status and the headers of GET, and no body', () => {
  test.each<[path: string, headers?: Record<string, string>]>([
    [`/graphql?${QUERY}`],
    [`/graphql/?${QUERY}`],
    [`/graphql?${QUERY}`, { accept: 'application/graphql-response+json' }],
    [`/graphql?${QUERY}`, { 'if-none-match': '*' }],
    [`/graphql?${QUERY}`, { accept: 'image/png' }],
    [`/graphql?${QUERY}`, { authorization: 'Token nonsense' }],
    [`/graphql?${MUTATION}`],
    ['/graphql?query=%7Bnonsense%7D'],
    ['/graphql?documentId=nonsense'],
    ['/graphql'],
    ['/graphql', BROWSER],
    ['/playground'],
    ['/'],
    ['/', BROWSER],
    ['/healthz'],
    ['/readyz'],
    ['/version'],
    ['/avatars/johndoe.svg'],
    ['/schema.graphql'],
  ])('%s %j', async (path, headers) => {
    await send('GET', path, headers); // the first response to a document may have more extensions
    const [get, head] = await Promise.all([send('GET', path, headers), send('HEAD', path, headers)]);
    expect(head.status).toBe(get.status);
    expect(comparable(head)).toEqual(comparable(get));
    expect(await head.text()).toBe('');
  });

  test('also where there is nothing', async () => {
    const response = await send('HEAD', '/nothing');
    expect([response.status, await response.text()]).toEqual([404, '']);
  });

  test('but needs a header that other sites cannot send, like GET', async () => {
    const response = await fetch(`${address}/graphql?${QUERY}`, { method: 'HEAD' });
    expect(response.status).toBe(400);
  });
});

/** All headers but those that differ between any two responses. */
const comparable = ({ headers }: Response) =>
  Object.fromEntries(
    [...headers]
      .filter(([name]) => !OF_ONE_RESPONSE.has(name))
      .map(([name, value]) => [name, value.replace(/nonce-[^']+/g, 'nonce')]),
  );

/** `fetch` closes the connection after HEAD. */
const OF_ONE_RESPONSE = new Set(['date', 'x-request-id', 'connection', 'keep-alive']);

describe('the root', () => {
  test('leads browsers to the Playground', async () => {
    const response = await send('GET', '/', BROWSER);
    expect([response.status, response.headers.get('location')]).toEqual([302, '/playground']);
    expect(response.headers.get('vary')).toContain('Accept');
  });

  test.each(['*/*', 'application/json', 'application/json, text/html;q=0.5'])(
    'lists the addresses for a client that accepts %s',
    async (accept) => {
      const response = await send('GET', '/', { accept });
      expect(response.status).toBe(200);
      const { graphql, playground, schema } = (await response.json()) as Record<string, string>;
      expect({ graphql, playground, schema }).toEqual({
        graphql: '/graphql',
        playground: '/playground',
        schema: '/schema.graphql',
      });
    },
  );

  test('lists only addresses that answer', async () => {
    const addresses = (await (await send('GET', '/')).json()) as Record<string, string>;
    for (const path of Object.values(addresses)) {
      const response = await send('GET', `${path}${path === '/graphql' ? `?${QUERY}` : ''}`);
      expect([path, response.status]).toEqual([path, 200]);
    }
  });

  test('lists the addresses for browsers too where the Playground is off', async () => {
    const server = await buildServer({
      em: orm.em,
      log: pino({ level: 'silent' }),
      settings: { ...settings, playground: false, introspection: false },
      readiness: new Readiness(orm, null, 'not checked'),
    });
    const response = await server.inject({ url: '/', headers: BROWSER });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ graphql: '/graphql' });
    expect(Object.keys(response.json())).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/playground|schema/)]),
    );
    await server.close();
  });
});

describe('a path without a route has an error like those of /graphql', () => {
  test.each<[method: string, path: string, status: number, message: string]>([
    ['GET', '/nothing?token=secret', 404, 'Nothing answers GET /nothing; GraphQL is at /graphql.'],
    ['POST', '/graphq', 404, 'Nothing answers POST /graphq; GraphQL is at /graphql.'],
    ['POST', '/', 404, 'Nothing answers POST /; GraphQL is at /graphql.'],
    ['DELETE', '/healthz', 404, 'Nothing answers DELETE /healthz; GraphQL is at /graphql.'],
    ['GET', '/graphql/nothing', 404, 'Nothing answers GET /graphql/nothing; GraphQL is at /graphql.'],
    ['GET', '/playground/graphiql.js', 404, 'Nothing answers GET /playground/graphiql.js; GraphQL is at /graphql.'],
    ['GET', '/%zz', 400, "'/%zz' is not a valid url component"],
    ['GET', LONG_PATH, 404, `Nothing answers GET ${LONG_PATH}; GraphQL is at /graphql.`],
  ])('%s %s', async (method, path, status, message) => {
    const response = await send(method, path);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual({ errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
  });
});
