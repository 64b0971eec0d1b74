// @module-tag security
import {
  buildSchema,
  getIntrospectionQuery,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
  print,
  separateOperations,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { ComplexityEstimator } from '../../../src/server/operations/operation-complexity.ts';
import { MAX_DOCUMENT_LENGTH, MAX_TOKENS, OPERATION_LIMITS } from '../../../src/server/operations/operation-limits.ts';
import { documentCache } from '../../../src/server/operations/persisted-documents.ts';
import { publishedOperations } from '../../../src/server/operations/published-operations.ts';
import { playgroundTabs } from '../../../src/server/playground/tabs.ts';
import { executeGraphql, type GraphQLResponse, post } from '../../support/test-server.ts';
import { nested, refusal, times, tooMany } from '../../support/too-complex.ts';

async function costOf(query: string, more: object = {}): Promise<number> {
  const { body } = (await post({ query, ...more })) as { body: GraphQLResponse<unknown> & { extensions?: any } };
  expect(body.errors?.map(({ extensions }) => extensions.code) ?? [], query).not.toContain('QUERY_TOO_COMPLEX');
  expect(body.extensions, query).toEqual({ cost: { requested: expect.any(Number), maximum: OPERATION_LIMITS.cost } });
  return body.extensions.cost.requested;
}

describe('an operation at the limit is executed, one above it is rejected before execution:', () => {
  test.each<[limit: keyof typeof OPERATION_LIMITS, write: (count: number) => string]>([
    ['depth', nested],
    ['aliases', (count) => `{ articles { ${times(count, (index) => `a${index}: __typename`)} } }`],
    ['rootFields', (count) => `{ ${times(count, () => '__typename')} }`],
    ['mutations', (count) => `mutation { ${times(count, () => '__typename')} }`],
    ['directives', (count) => `{ articles { ${times(count, () => '__typename @skip(if: false)')} } }`],
  ])('%s', async (limit, write) => {
    expect(await executeGraphql(write(OPERATION_LIMITS[limit]))).toSucceed();
    expect(await refusal(write(OPERATION_LIMITS[limit] + 1))).toEqual(tooMany(limit, OPERATION_LIMITS[limit] + 1));
  });

  test('text', async () => {
    const bodies = (first: number, more = '') => `{ articles(first: ${first}) { nodes { body } } ${more} }`;
    expect(await executeGraphql(bodies(100))).toSucceed();
    const refused = [
      bodies(100, 'article(by: { slug: "a" }) { comments(first: 1) { nodes { body } } }'),
      bodies(51).replace('body', 'body again: body'),
      bodies(20).replace('body', 'comments(first: 51) { edges { node { body } } }'),
      bodies(51).replace('body', '...A ...A').replace(/$/, ' fragment A on Article { body }'),
    ];
    for (const query of refused) expect(await refusal(query), query).toEqual(tooMany('text'));
  });

  test('cost', async () => {
    const written = (more: string) => `{ articles(first: 98) { nodes { ${times(51, () => 'title')} } } ${more} }`;
    expect(OPERATION_LIMITS.cost).toBe(2 + 98 * 51);
    expect(await executeGraphql(written(''))).toSucceed();
    expect(await refusal(written('__typename'))).toEqual(tooMany('cost', OPERATION_LIMITS.cost + 1));
  });

  test('counts of a whole table', async () => {
    const written = (count: number) => `{ ${times(count, (index) => `a${index}: articles { totalCount }`)} }`;
    expect(await executeGraphql(written(4))).toSucceed();
    expect(await refusal(written(5))).toEqual(tooMany('cost'));
  });

  test('tokens', async () => {
    const written = (count: number) => `{ ${times(count - 2, () => '__typename')} }`;
    expect(await refusal(written(MAX_TOKENS))).toEqual(tooMany('rootFields', MAX_TOKENS - 2));
    const extensions = { code: 'QUERY_TOO_COMPLEX', limit: 'tokens', maximum: MAX_TOKENS };
    expect(await refusal(written(MAX_TOKENS + 1))).toEqual(extensions);
  });
});

test.each(['[', '{a:', '[{a:'])(
  'a value of 30,000 levels of "%s" is too complex, and says nothing of the stack',
  async (level) => {
    const { errors } = await executeGraphql(`{ articles(first: ${level.repeat(30_000 / level.length)}`);
    expect(errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }]);
    expect(errors?.[0]?.message).not.toContain('stack');
  },
);

test('the length of a document is limited', async () => {
  const written = (length: number) => `{ __typename }${'#'.padEnd(length - 14, '-')}`;
  expect(await executeGraphql(written(MAX_DOCUMENT_LENGTH))).toSucceed();
  const limits = { limit: 'characters', requested: MAX_DOCUMENT_LENGTH + 1, maximum: MAX_DOCUMENT_LENGTH };
  expect(await refusal(written(MAX_DOCUMENT_LENGTH + 1))).toEqual({ code: 'QUERY_TOO_COMPLEX', ...limits });
});

test('the document cache is bounded by the length of the text, comments included', async () => {
  const documentStore = documentCache();
  const names = Array.from({ length: 20 }, (_, index) => `long${index}`);
  for (const name of names) await documentStore.set(name, parse(`${'#\n'.repeat(40_000)}{ ${name}: __typename }`));
  const kept = await Promise.all(names.map((name) => documentStore.get(name)));
  expect(kept.filter(Boolean)).toHaveLength(2);
});

const ofSize = 'articles(first: $n) { nodes { id } }';
const found = 'articles(first: 1, filter: $filter) { nodes { id } }';

test.each<[what: string, cost: number, query: string, more?: object]>([
  ['is 1 for each field', 3, '{ article(by: { slug: "a" }) { title __typename } }'],
  ['is counted for each item of a page', 2 + 7 * 2, '{ articles(first: 7) { nodes { id title } } }'],
  ['is counted for each of the last', 2 + 7, '{ articles(last: 7) { nodes { id } } }'],
  ['is counted for 20 without a page size', 2 + 20, '{ articles { nodes { id } } }'],
  ['is counted once for fields of the connection', 4, '{ articles(first: 9) { __typename pageInfo { endCursor } } }'],
  ['is counted for edges as for nodes', 2 + 5 * 3, '{ articles(first: 5) { edges { cursor node { id } } } }'],
  ['multiplies', 2 + 3 * (2 + 4), '{ articles(first: 3) { nodes { comments(first: 4) { nodes { id } } } } }'],
  ['is counted for each requested id', 1 + 3, '{ nodes(ids: ["a", "b", "c"]) { id } }'],
  ['reads ids', 1 + 2, 'query($ids: [ID!]!) { nodes(ids: $ids) { id } }', { variables: { ids: ['a', 'b'] } }],
  ['reads variables', 2 + 7, `query($n: Int) { ${ofSize} }`, { variables: { n: 7 } }],
  ['reads their defaults', 2 + 9, `query($n: Int = 9) { ${ofSize} }`],
  ['prefers given values to defaults', 2 + 7, `query($n: Int = 9) { ${ofSize} }`, { variables: { n: 7 } }],
  ['treats null as absent', 2 + 20, `query($n: Int = 9) { ${ofSize} }`, { variables: { n: null } }],
  ['reads variables of any name', 2 + 7, 'query($__proto__: Int = 7) { articles(first: $__proto__) { nodes { id } } }'],
  [
    'counts fields that @skip and @include exclude',
    3,
    '{ articles @skip(if: true) { id: __typename __typename @include(if: false) } }',
  ],
  ['counts fragments where they are spread', 3, '{ ...A ...A __typename } fragment A on Query { __typename }'],
  ['counts inline fragments', 2 + 5, '{ articles(first: 5) { ... { nodes { ... on Node { id } } } } }'],
  [
    'multiplies in fragments',
    2 + 5,
    '{ articles(first: 5) { ...P } } fragment P on ArticleConnection { nodes { id } }',
  ],
  [
    'is that of the selected operation',
    1,
    'query A { tags { totalCount } } query B { __typename }',
    { operationName: 'B' },
  ],
  ['is 1,000 for a count of all articles', 2 + 1_000, '{ articles { totalCount } }'],
  ['is 1,000 for each count of them', 3 + 2_000, '{ articles { totalCount again: totalCount } }'],
  [
    'includes counts in fragments',
    2 + 1_000,
    '{ tags { ... on Connection { ...C } } } fragment C on Connection { totalCount }',
  ],
  ['is 1,000 for a filter', 3 + 1_000, '{ articles(first: 1, filter: { tag: "a" }) { nodes { id } } }'],
  ['is no more for a filter and a count', 2 + 1_000, '{ articles(filter: { tag: "a" }) { totalCount } }'],
  ['is 1,000 for a prefix', 3 + 1_000, '{ tags(first: 1, prefix: "a") { nodes { name } } }'],
  ['is 500 more for a search', 3 + 1_500, '{ articles(first: 1, filter: { query: "a" }) { nodes { id } } }'],
  ['is no more for a blank search', 3 + 1_000, '{ articles(first: 1, filter: { query: " " }) { nodes { id } } }'],
  [
    'is 10 for the text matches of an item, and 4 for each of their fields',
    2 + 1_500 + 5 * (1 + 10 + 4 * 2),
    '{ articles(first: 5, filter: { query: "a" }) { edges { textMatches { field fragment } } } }',
  ],
  ['reads a filter', 3 + 1_000, `query($filter: ArticleFilter) { ${found} }`, { variables: { filter: { tag: 'a' } } }],
  ['treats a null filter as absent', 3, `query($filter: ArticleFilter) { ${found} }`, { variables: { filter: null } }],
  ['is 100 for a count of a tag’s articles', 2 + 5 * 102, '{ tags(first: 5) { nodes { articles { totalCount } } } }'],
  [
    'is 10 for a count of one row’s relation',
    4 + 10,
    '{ article(by: { slug: "a" }) { author { followersCount } commentsCount } }',
  ],
  ['is 10 for the total count of such a list', 3 + 10, '{ article(by: { slug: "a" }) { comments { totalCount } } }'],
  ['is 1 for each hundred rows that the offset skips', 3 + 12, '{ articles(first: 1, offset: 1234) { nodes { id } } }'],
  [
    'reads the offset',
    3 + 3,
    'query($n: Int) { articles(first: 1, offset: $n) { nodes { id } } }',
    { variables: { n: 300 } },
  ],
  ['is reported for mutations too', 3, 'mutation { logout { ok __typename } }'],
])('the cost %s', async (_, cost, query, more) => {
  expect(await costOf(query, more)).toBe(cost);
});

test('undeclared variables are never read', () => {
  const read: (string | symbol)[] = [];
  const trap = (_: object, name: string | symbol) => read.push(name) > 0;
  const variables = new Proxy<Record<string, unknown>>(
    { n: 7 },
    { has: trap, ownKeys: () => expect.fail('All variables are read.') },
  );
  const document = parse('query($n: Int, $missing: Int = 3) { a(first: $n) { b } }');
  const operation = getOperationAST(document) as OperationDefinitionNode;
  const schema = buildSchema('type Query { a(first: Int): Query, b: Int }');
  expect(new ComplexityEstimator(schema).estimate(operation, document, variables).cost).toBe(2);
  expect(read).toEqual([]);
});

test('every published operation is within the limits with the largest pages', async () => {
  const { '': fragments, ...operations } = separateOperations(parse(publishedOperations().join('\n')));
  expect(fragments).toBeUndefined();
  const costs: [cost: number, name: string][] = [];
  for (const [name, document] of Object.entries(operations)) {
    costs.push([await costOf(print(document), { variables: { first: 100, tags: 100 } }), name]);
  }
  const [highest = 0, name] = costs.toSorted(([one], [other]) => other - one)[0] ?? [];
  console.log(`Most expensive published operation: ${name}, ${highest} of ${OPERATION_LIMITS.cost} with pages of 100.`);
  expect(costs.length).toBeGreaterThan(20);
  expect(highest).toBeLessThan(OPERATION_LIMITS.cost * 0.75);
});

test('every tab of the Playground costs less than a third of the limit', async () => {
  for (const { query, variables } of playgroundTabs(publishedOperations())) {
    expect(await costOf(query, { variables: JSON.parse(variables) }), query).toBeLessThan(OPERATION_LIMITS.cost / 3);
  }
});

test.each([
  ['graphql-js', getIntrospectionQuery()],
  ['GraphiQL', getIntrospectionQuery({ schemaDescription: true, inputValueDeprecation: true, oneOf: true })],
  ['Relay', getIntrospectionQuery({ descriptions: false, inputValueDeprecation: true })],
  [
    'a code generator',
    getIntrospectionQuery({
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    }),
  ],
])('%s may introspect the schema', async (_, query) => {
  expect(await executeGraphql(query)).toSucceed();
});

test('only the first errors of a document are listed', async () => {
  const unknown = await post({ query: `{ ${times(20, (index) => `nonsense${index}`)} }` });
  expect(unknown.body.errors?.length).toBe(6);
  expect(unknown.body.errors?.at(-1)?.message).toMatch(/^Too many validation errors/);
  const filter = { tag: 1, author: 2, favoritedBy: 3, tagsAny: [4, 5, 6, 7], tagsAll: [8, 9] };
  const coerced = await post({
    query: 'query($filter: ArticleFilter) { articles(filter: $filter) { totalCount } }',
    variables: { filter },
  });
  expect(coerced.body).toFailWith(...Array(6).fill('BAD_USER_INPUT'));
});

test('an unknown field gets suggestions', async () => {
  const { body } = await post({ query: '{ artcles { totalCount } }' });
  expect(body.errors?.[0]?.message).toMatch(/Did you mean "articles"/);
});
