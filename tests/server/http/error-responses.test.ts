import { describe, expect, test } from 'vitest';
import { anArticle, aUser } from '../../support/test-data.ts';
import { address, executeGraphql, orm, post } from '../../support/test-server.ts';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Causes an internal error: the table is missing. */
async function withoutComments<T>(act: () => Promise<T>): Promise<T> {
  await orm.em.fork().execute('alter table comments rename to comments_elsewhere');
  try {
    return await act();
  } finally {
    await orm.em.fork().execute('alter table comments_elsewhere rename to comments');
  }
}

describe('an internal error', () => {
  test('in a query hides its cause and has the request id', async () => {
    await anArticle({ title: 'Good' });
    const query = '{ article(by: { slug: "good" }) { comments { totalCount } } tags { totalCount } viewer { email } }';
    const response = await withoutComments(() => executeGraphql(query));
    expect(response.errors?.[0]).toEqual({
      message: 'Internal server error',
      path: ['article'],
      locations: [{ line: 1, column: 3 }],
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.stringMatching(UUID) },
    });
    // Other fields succeed.
    expect(response.data).toEqual({ article: null, tags: { totalCount: 0 }, viewer: null });
  });

  test('in a mutation hides its cause and changes nothing', async () => {
    const ann = await aUser('ann');
    await anArticle({ by: ann, title: 'Good' });
    const query =
      'mutation { addComment(input: { article: { slug: "good" }, body: "secret words" }) { errors { code } } }';
    const response = await withoutComments(() => executeGraphql(query, { as: ann }));
    expect(response).toFailWith('INTERNAL_SERVER_ERROR');
    expect(JSON.stringify(response)).not.toMatch(/comments|relation|insert|select|secret|stack/);
    expect(response.errors?.[0]?.extensions.requestId).toMatch(UUID);
  });

  test('has a different id for each request', async () => {
    await anArticle({ title: 'Good' });
    const query = '{ article(by: { slug: "good" }) { comments { totalCount } } }';
    const responses = await withoutComments(async () => [await executeGraphql(query), await executeGraphql(query)]);
    const ids = responses.map(({ errors }) => errors?.[0]?.extensions.requestId);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('an invalid request', () => {
  test.each<[what: string, code: string, body: unknown]>([
    ['without a query', 'BAD_USER_INPUT', {}],
    ['with an empty query', 'BAD_USER_INPUT', { query: '' }],
    ['with a query that is not a string', 'BAD_USER_INPUT', { query: 7 }],
    ['with variables that are not an object', 'BAD_USER_INPUT', { query: '{ __typename }', variables: 'text' }],
    ['that is a list', 'BAD_USER_INPUT', []],
    ['that is not JSON', 'BAD_USER_INPUT', '{ query'],
    ['that tries to change the prototype', 'BAD_USER_INPUT', '{"query":"{ __typename }","__proto__":{"admin":true}}'],
    ['of more than a megabyte', 'BAD_USER_INPUT', { query: '{ __typename }', variables: { x: 'x'.repeat(1_600_000) } }],
    ['that cannot be parsed', 'GRAPHQL_PARSE_FAILED', { query: '{ articles' }],
    ['for an unknown field', 'GRAPHQL_VALIDATION_FAILED', { query: '{ secrets }' }],
    [
      'with both keys of a locator',
      'GRAPHQL_VALIDATION_FAILED',
      { query: '{ user(by: { id: "x", username: "y" }) { id } }' },
    ],
    ['with no key of a locator', 'GRAPHQL_VALIDATION_FAILED', { query: '{ user(by: {}) { id } }' }],
    ['with a null key of a locator', 'GRAPHQL_VALIDATION_FAILED', { query: '{ user(by: { id: null }) { id } }' }],
    ['for an unknown operation', 'BAD_USER_INPUT', { query: 'query A { __typename }', operationName: 'B' }],
    [
      'that does not choose one of two operations',
      'BAD_USER_INPUT',
      { query: 'query A { __typename } query B { __typename }' },
    ],
    [
      'without a required variable',
      'BAD_USER_INPUT',
      { query: 'query A($slug: String!) { article(by: { slug: $slug }) { id } }' },
    ],
    [
      'with both keys of a locator in a variable',
      'BAD_USER_INPUT',
      { query: 'query A($by: UserBy!) { user(by: $by) { id } }', variables: { by: { id: 'x', username: 'y' } } },
    ],
  ])('%s is %s', async (_, code, body) => {
    const response = await post(body);
    expect(response.body.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
    expect(response.status).toBeLessThan(500); // graphql-over-http.test.ts checks which
    expect(JSON.stringify(response.body)).not.toMatch(/stacktrace|node_modules|\.ts:/);
  });

  test('changes nothing with GET', async () => {
    const query = 'mutation { register(input: { username: "a", email: "a@b.c", password: "password123" }) { token } }';
    const response = await fetch(`${address}/graphql?query=${encodeURIComponent(query)}`, {
      headers: { 'apollo-require-preflight': 'yes' },
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await orm.em.fork().execute('select * from users')).toEqual([]);
  });
});

describe('error messages truncate', () => {
  const long = 'x'.repeat(100_000);
  const ofAll = (args: string, type: string) => `query($it: ${type}) { articles(${args}: $it) { nodes { id } } }`;
  const x = 'x{100}…';
  test.each<[what: string, request: object, message: string]>([
    [
      'the name of an operation',
      { query: '{ __typename }', operationName: long },
      `^Unknown operation named "${x}"\\.$`,
    ],
    ['a field', { query: `{ ${long.slice(0, 90_000)} }` }, `^Cannot query field "${x}" on type "Query"\\.$`],
    [
      'a variable',
      { query: ofAll('first', 'Int'), variables: { it: long } },
      `^Variable "\\$it" got invalid value "${x}"; Int cannot represent non-integer value: "${x}"$`,
    ],
    [
      'a name in a variable',
      { query: ofAll('filter', 'ArticleFilter'), variables: { it: { [long]: 1 } } },
      `^Variable "\\$it" got invalid value \\{ ${x} 1 \\}; Field "${x}" is not defined by type "ArticleFilter"\\.`,
    ],
  ])('%s', async (_, request, message) => {
    const { body } = await post(request);
    expect(body.errors?.[0]?.message).toMatch(new RegExp(message));
  });

  test('a header', async () => {
    const { body } = await post({ query: '{ __typename }' }, { accept: `a/${long.slice(0, 9_000)}` });
    expect(body.errors?.[0]?.message).toMatch(/^The accept header is "a\/x{98}…"; it must allow /);
  });
});

test('an error in one mutation does not affect the others', async () => {
  const ann = await aUser('ann');
  const response = await executeGraphql<any, object>(
    `mutation {
      missing: favoriteArticle(input: { article: { slug: "nowhere" } }) { article { id } errors { code } }
      createArticle(input: { title: "Title", description: "d", body: "b" }) { article { slug } errors { code } }
      logout { ok }
      late: favoriteArticle(input: { article: { slug: "title" } }) { errors { code } }
    }`,
    { as: ann },
  );
  expect(response).toFailWith('NOT_FOUND', 'UNAUTHENTICATED');
  expect(response.data).toEqual({
    missing: { article: null, errors: [{ code: 'NOT_FOUND' }] },
    createArticle: { article: { slug: 'title' }, errors: [] },
    logout: { ok: true },
    late: null,
  });
});
