// @module-tag security
import { getIntrospectionQuery } from 'graphql';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { orm, settings } from '../../support/test-server.ts';

/** A server without introspection, as in production. */

const server = await buildServer({
  em: orm.em,
  log: pino({ level: 'silent' }),
  settings: { ...settings, introspection: false, playground: false },
  readiness: new Readiness(orm, null, 'not checked'),
});

const send = async (query: string, variables = {}) =>
  (await server.inject({ method: 'POST', url: '/graphql', payload: { query, variables } })).json();

test.each([
  ['the introspection query', getIntrospectionQuery()],
  ['a query for all types', '{ __schema { types { name } } }'],
  ['a query for one type', '{ __type(name: "Article") { fields { name } } }'],
  ['introspection in a fragment', '{ ...Q } fragment Q on Query { alias: __schema { queryType { name } } }'],
])('%s is rejected', async (_, query) => {
  const response = await send(query);
  expect(response.data).toBeUndefined();
  expect(response.errors[0].message).toMatch(/^GraphQL introspection has been disabled/);
  expect(response).toFailWith(...Array(response.errors.length).fill('GRAPHQL_VALIDATION_FAILED'));
});

const BY_FILTER = 'query($filter: ArticleFilter) { articles(filter: $filter) { totalCount } }';
const IN_ORDER = 'query($orderBy: ArticleOrder) { articles(orderBy: $orderBy) { totalCount } }';

test.each<[query: string, variables?: object]>([
  ['{ artcles { totalCount } }'],
  ['{ articles(frist: 1) { totalCount } }'],
  ['{ articles(orderBy: { field: TITEL, direction: ASC }) { totalCount } }'],
  ['{ articles(filter: { tga: "a" }) { totalCount } }'],
  ['query($filter: ArticleFiltre) { articles(filter: $filter) { totalCount } }'],
  ['{ node(id: "a") { ... on Artcle { id } } }'],
  ['{ node(id: "a") { title } }'],
  [BY_FILTER, { filter: { tga: 'a' } }],
  [IN_ORDER, { orderBy: { field: 'TITEL', direction: 'ASC' } }],
])('a mistyped name gets no suggestion: %s %j', async (query, variables) => {
  const response = await send(query, variables);
  expect(response.errors.length).toBeGreaterThan(0);
  expect(JSON.stringify(response)).not.toMatch(/did you mean/i);
});

test('a request full of suggestion phrases takes no longer', async () => {
  const written = 'Did you mean '.repeat(100_000); // a pattern with backtracking would take minutes
  const response = await send('query($first: Int) { articles(first: $first) { totalCount } }', { first: written });
  expect(response).toFailWith('BAD_USER_INPUT');
});

test('/schema.graphql is 404', async () => {
  expect((await server.inject('/schema.graphql')).statusCode).toBe(404);
});

test('__typename still works, because client caches need it', async () => {
  expect((await send('{ __typename articles { __typename } }')).data).toEqual({
    __typename: 'Query',
    articles: { __typename: 'ArticleConnection' },
  });
});
