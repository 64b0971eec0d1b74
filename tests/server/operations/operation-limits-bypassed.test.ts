// @module-tag security
import { describe, expect, test } from 'vitest';
import type { OPERATION_LIMITS } from '../../../src/server/operations/operation-limits.ts';
import { address, post } from '../../support/test-server.ts';
import { doubling, nested, refusal, times, tooMany } from '../../support/too-complex.ts';

/** Attempts to bypass the limits, including published ones. */

/** All comments of a hundred articles. */
const COMMENTS = 'articles(first: 100) { nodes { comments(first: 100) { nodes { id } } } }';
const COMMENTS_OF = (size: string) => COMMENTS.replaceAll('first: 100', size);

test.each<[attempt: string, limit: keyof typeof OPERATION_LIMITS, query: string, more?: object]>([
  ['fragments that double', 'cost', `{ article(by: { slug: "a" }) { ...F0 } } ${doubling(20, 'id')}`],
  ['fragments that double beyond all numbers', 'cost', `{ articles { nodes { ...F0 } } } ${doubling(130, 'id')}`],
  ['aliases in fragments', 'aliases', `{ article(by: { slug: "a" }) { ...F0 } } ${doubling(5, 'a: id')}`],
  [
    'directives in fragments',
    'directives',
    `{ article(by: { slug: "a" }) { ...F0 } } ${doubling(6, 'id @skip(if: 1)')}`,
  ],
  ['root fields in fragments', 'rootFields', `{ ...A ...A } fragment A on Query { ${times(11, () => '__typename')} }`],
  [
    'mutations in fragments',
    'mutations',
    'mutation { ...A ...A } fragment A on Mutation { a: logout { ok } b: logout { ok } c: logout { ok } }',
  ],
  [
    'depth in fragments',
    'depth',
    `{ ...A } fragment A on Query { articles { nodes { author { ...B } } } } fragment B on User ${nested(10)}`,
  ],
  ['depth in inline fragments', 'depth', nested(13).replace(/\{ (nodes .*) \}/, '{ ... { ... { $1 } } }')],
  ['a fragment named as the schema', 'cost', `{ ...__schema } fragment __schema on Query { ${COMMENTS} }`],
  ['an alias named as the schema', 'cost', `{ __schema: ${COMMENTS.replace('comments', '__type: comments')} }`],
  ['introspection beside it', 'cost', `{ __schema { types { name } } ${COMMENTS} }`],
  ['what is left out', 'cost', `query($no: Boolean = false) { ... @include(if: $no) { ${COMMENTS} } }`],
  ['sizes in variables', 'cost', `query($n: Int) { ${COMMENTS_OF('first: $n')} }`, { variables: { n: 100 } }],
  ['sizes by default', 'cost', `query($n: Int = 100) { ${COMMENTS_OF('first: $n')} }`],
  [
    'sizes given beside a default',
    'cost',
    `query($n: Int = 1) { ${COMMENTS_OF('last: $n')} }`,
    { variables: { n: 100 } },
  ],
  ['sizes beyond all numbers', 'cost', `{ ${COMMENTS_OF('first: 99999999999999999999')} }`],
  ['two sizes', 'cost', `{ ${COMMENTS_OF('first: 1, last: 100')} }`],
  ['no size', 'cost', '{ articles { nodes { comments { nodes { author { favorites { nodes { id } } } } } } } }'],
  ['a negative size', 'cost', `{ ${COMMENTS_OF('first: 100').replace('first: 100', 'last: -1')} ${COMMENTS} }`],
  [
    'a size that is none',
    'cost',
    '{ articles(first: "1") { nodes { comments(first: [1]) { nodes { author { favorites(first: {}) { nodes { id } } } } } } } }',
  ],
  [
    'edges',
    'cost',
    `{ ${COMMENTS.replaceAll('nodes', 'edges').replaceAll('{ id }', '{ node { id } }').replace('comments', 'node { comments')} } }`,
  ],
  [
    'pages in fragments',
    'cost',
    '{ articles(first: 100) { ...P } } fragment P on ArticleConnection { ...Q } fragment Q on ArticleConnection { nodes { ...A } } fragment A on Article { comments(first: 100) { nodes { id } } }',
  ],
  [
    'lists of ids',
    'cost',
    'query($ids: [ID!]!) { nodes(ids: $ids) { ... on Article { comments(first: 100) { nodes { id } } } } }',
    { variables: { ids: Array(100).fill('a') } },
  ],
  [
    'an operation beside it',
    'cost',
    `query Small { __typename } query Large { ${COMMENTS} }`,
    { operationName: 'Large' },
  ],
  [
    'lists in introspection',
    'introspection',
    '{ __schema { types { fields { args { type { possibleTypes { interfaces { name } } } } } } } }',
  ],
  [
    'introspection in fragments',
    'introspection',
    '{ ...Q } fragment Q on Query { s: __schema { types { ...T } } } fragment T on __Type { possibleTypes { fields { args { type { possibleTypes { name } } } } } }',
  ],
  ['a document that is not valid', 'rootFields', `{ ${times(600, (index) => `nonsense${index}`)} }`],
  ['fragments in a circle', 'rootFields', `{ ...A ${times(600, () => '__typename')} } fragment A on Query { ...A }`],
])('%s cannot bypass the limits', async (_, limit, query, more) => {
  expect(await refusal(query, more)).toEqual(tooMany(limit));
});

test('a cached document is measured again for other variables', async () => {
  const query = `query($n: Int!) { ${COMMENTS_OF('first: $n')} }`;
  expect((await post({ query, variables: { n: 2 } })).body).toSucceed();
  expect(await refusal(query, { variables: { n: 100 } })).toEqual(tooMany('cost'));
  expect((await post({ query, variables: { n: 3 } })).body).toSucceed();
});

test('the limits apply to GET', async () => {
  const response = await fetch(`${address}/graphql?query=${encodeURIComponent(`{ ${COMMENTS} }`)}`, {
    headers: { 'apollo-require-preflight': 'yes' },
  });
  expect(await response.json()).toMatchObject({ errors: [{ extensions: tooMany('cost') }] });
});

test('a batch of operations is rejected', async () => {
  const { status, body } = await post([{ query: '{ __typename }' }, { query: '{ __typename }' }]);
  expect(status).toBe(400);
  expect(body).toFailWith('BAD_USER_INPUT');
});

test('operations that are not selected do not count', async () => {
  const query = `query Small { tags { totalCount } } query Large { ${COMMENTS} }`;
  expect((await post({ query, operationName: 'Small' })).body.data).toEqual({ tags: { totalCount: 0 } });
});

describe('a small invalid document gets a validation error:', () => {
  test.each([
    [
      'a fragment in a circle',
      '{ article(by: { slug: "a" }) { ...A } } fragment A on Article { author { articles { nodes { ...A } } } }',
    ],
    ['a fragment of nothing', '{ ...Nothing }'],
    ['a fragment on nothing', '{ ...A } fragment A on Nothing { id }'],
    ['a field of a leaf', '{ articles { totalCount { id } } }'],
    ['a walk in circles', '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }'],
  ])('%s', async (_, query) => {
    const { body } = await post({ query });
    expect([...new Set(body.errors?.map(({ extensions }) => extensions.code))]).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });
});
