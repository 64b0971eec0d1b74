import { serverAudits } from 'graphql-http';
import { describe, expect, test } from 'vitest';
import { aUser } from '../../support/test-data.ts';
import { address, executeGraphql } from '../../support/test-server.ts';

const GUEST_QUERY = '{ articles { totalCount } }';
const CSRF_HEADER = { 'apollo-require-preflight': '1' };

describe("graphql-http's audit", () => {
  // GET requires a header that other sites cannot send without a preflight.
  const audited: typeof fetch = (url, init) => fetch(url, { ...init, headers: { ...init?.headers, ...CSRF_HEADER } });
  const audits = serverAudits({ url: `${address}/graphql`, fetchFn: audited });

  test('has 61 audits', () => expect(audits).toHaveLength(61));

  test.each(audits)('$id $name', async (audit) => {
    expect(await audit.fn()).toMatchObject({ status: 'ok' });
  });
});

describe('the status', () => {
  test('of an invalid document is 400 with application/graphql-response+json, otherwise 200', async () => {
    expect(await statusOf('{ nothing }', 'application/graphql-response+json')).toBe(400);
    expect(await statusOf('{ nothing }', 'application/json')).toBe(200);
    expect(await statusOf('{ nothing }', '*/*')).toBe(200);
  });

  test('of a body that is not a GraphQL request is 400, in the accepted type', async () => {
    for (const accept of ['application/graphql-response+json', 'application/json']) {
      const response = await send({ headers: { accept }, body: '{"query":' });
      expect(response.status).toBe(400);
      expect(response.headers.get('content-type')).toBe(`${accept}; charset=utf-8`);
      expect((await json(response)).errors[0].extensions.code).toBe('BAD_USER_INPUT');
    }
  });

  test.each([
    'text/csv',
    'application/json;q=0',
    '*/*;q=0',
    'application/*;q=0, text/html',
    'application/json; charset=iso-8859-1',
    'application/graphql-response+json; charset=utf-16, text/plain',
  ])('of a request that accepts only %s is 406', async (accept) => {
    expect(await statusOf(GUEST_QUERY, accept)).toBe(406);
  });

  test.each(['PUT', 'PATCH', 'DELETE'])('of %s is 405 with the allowed methods', async (method) => {
    const response = await send({ method, body: JSON.stringify({ query: GUEST_QUERY }) });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
  });

  test('of a mutation in a GET is 405', async () => {
    const response = await get('mutation { logout { ok } }');
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  test('of several requests in one body is 400', async () => {
    expect((await send({ body: JSON.stringify([{ query: GUEST_QUERY }]) })).status).toBe(400);
  });
});

describe('the type of the response', () => {
  const JSON_TYPE = 'application/json';
  const GRAPHQL = 'application/graphql-response+json';

  test.each([
    [`${GRAPHQL}; charset=utf-8, ${JSON_TYPE}; charset=utf-8`, GRAPHQL],
    [`${JSON_TYPE}; charset=utf-8`, JSON_TYPE],
    [`${JSON_TYPE};charset=UTF-8`, JSON_TYPE],
    [`${JSON_TYPE}; charset="utf-8"`, JSON_TYPE],
    [`${JSON_TYPE} ; charset=utf8`, JSON_TYPE],
    [`${GRAPHQL};charset=utf-8;q=0.5, ${JSON_TYPE};charset=utf-8;q=0.9`, JSON_TYPE],
    [`${JSON_TYPE};q=0.5, ${GRAPHQL};q=0.9`, GRAPHQL],
    [`${JSON_TYPE};charset=utf-8;q=0, ${GRAPHQL}`, GRAPHQL],
    [`${JSON_TYPE};q=0, */*`, GRAPHQL],
    [`${JSON_TYPE};q=0.1, */*;q=0.5`, GRAPHQL],
    ['APPLICATION/GraphQL-Response+JSON; Charset=UTF-8', GRAPHQL],
    [`${GRAPHQL}; profile="a, b; q=0"; charset=utf-8`, GRAPHQL],
    [`${JSON_TYPE}; indent=4`, JSON_TYPE],
    [`multipart/mixed;deferSpec=20220824, ${JSON_TYPE}`, JSON_TYPE],
    [`multipart/mixed;boundary="-";subscriptionSpec=1.0, ${GRAPHQL};charset=utf-8`, GRAPHQL],
    ['text/csv, application/*;q=0.1', JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['*/*;charset=utf-8', JSON_TYPE],
    ['', JSON_TYPE],
  ])('for %s is %s', async (accept, type) => {
    for (const query of [GUEST_QUERY, '{ nothing }']) {
      const response = await send({ headers: { accept }, body: JSON.stringify({ query }) });
      expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
      expect(response.status).toBe(query === GUEST_QUERY || type === JSON_TYPE ? 200 : 400);
    }
    const invalid = await send({ headers: { accept }, body: '{' });
    expect([invalid.status, invalid.headers.get('content-type')]).toEqual([400, `${type}; charset=utf-8`]);
  });
});

describe('a request that a page of another site can send without a preflight', () => {
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'message/rfc822',
  ];

  test.each(types)('is rejected: POST of %s', async (type) => {
    const response = await send({ headers: { 'content-type': type }, body: JSON.stringify({ query: GUEST_QUERY }) });
    expect(response.status).toBe(415);
  });

  test('is rejected: a plain GET', async () => {
    const response = await get(GUEST_QUERY, { 'apollo-require-preflight': '' });
    expect(response.status).toBe(400);
    expect((await json(response)).errors[0].message).toContain('apollo-require-preflight');
  });
});

test.each(['utf-7', 'utf-16', 'iso-8859-1', '"shift_jis"'])('JSON in the charset %s is rejected', async (charset) => {
  const headers = { 'content-type': `application/json; charset=${charset}` };
  expect((await send({ headers, body: JSON.stringify({ query: GUEST_QUERY }) })).status).toBe(415);
});

describe('caching', () => {
  test('a response to a guest is public, and 304 until it changes', async () => {
    const first = await get(GUEST_QUERY);
    expect(first.headers.get('cache-control')).toBe('public, no-cache');
    expect(first.headers.get('vary')).toBe('Origin, Authorization, Accept');
    const etag = first.headers.get('etag') ?? '';

    const again = await get(GUEST_QUERY, { 'if-none-match': `"other", W/${etag}` });
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);

    const ann = await aUser('ann');
    const input = { title: 'New', description: 'Made since.', body: 'Text.' };
    await executeGraphql('mutation ($input: CreateArticleInput!) { createArticle(input: $input) { article { id } } }', {
      as: ann,
      input,
    });
    const changed = await get(GUEST_QUERY, { 'if-none-match': etag });
    expect([changed.status, await json(changed)]).toMatchObject([200, { data: { articles: { totalCount: 1 } } }]);
  });

  test('a response to a signed-in user is private', async () => {
    const { token } = await aUser();
    const response = await get('{ viewer { email } }', { authorization: `Token ${token}` });
    expect(response.headers.get('cache-control')).toBe('private, no-cache');
    expect(response.headers.get('vary')).toContain('Authorization');
  });

  test('errors and responses to POST are not cached', async () => {
    expect((await get('{ viewer { nothing } }')).headers.get('cache-control')).toBe('no-store');
    expect((await get('{ viewer { email } }', { authorization: 'Token forged' })).headers.get('etag')).toBeNull();
    const posted = await send({ body: JSON.stringify({ query: GUEST_QUERY }) });
    expect(posted.headers.get('cache-control')).toBe('no-store');
  });
});

describe('a page of another origin', () => {
  const preflight = (origin: string) =>
    fetch(`${address}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, content-type, apollo-require-preflight',
      },
    });

  test('may send requests if it is listed', async () => {
    const { status, headers } = await preflight('https://blog.example');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe('https://blog.example');
    expect(headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE');
    expect(headers.get('access-control-allow-headers')).toContain('authorization');
    expect(headers.get('access-control-allow-credentials')).toBeNull();

    const response = await get(GUEST_QUERY, { origin: 'https://blog.example' });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://blog.example');
    expect(response.headers.get('access-control-expose-headers')).toContain('ETag');
  });

  test.each(['https://evil.example', 'https://blog.example.evil.example', 'http://blog.example', 'null'])(
    'may not if it is not listed: %s',
    async (origin) => {
      expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
      expect((await get(GUEST_QUERY, { origin })).headers.get('access-control-allow-origin')).toBeNull();
    },
  );
});

const send = ({ headers, ...request }: RequestInit) =>
  fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(headers as Record<string, string>) },
    ...request,
  });

const get = (query: string, headers: Record<string, string> = {}) =>
  fetch(`${address}/graphql?query=${encodeURIComponent(query)}`, { headers: { ...CSRF_HEADER, ...headers } });

const statusOf = async (query: string, accept: string) =>
  (await send({ headers: { accept }, body: JSON.stringify({ query }) })).status;

const json = async (response: Response): Promise<any> => response.json();
