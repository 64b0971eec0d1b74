import { readFileSync } from 'node:fs';
import {
  getIntrospectionQuery,
  type IntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { expect, test } from 'vitest';
import { globalId } from '../../src/graphql/node.ts';
import { buildSchema } from '../../src/server/schema.ts';
import { aComment, anArticle, aUser } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

const schema = buildSchema(orm.em);
const types = Object.values(schema.getTypeMap()).filter(
  (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
);

test('schema/schema.graphql matches the code', () => {
  expect(`${printSchema(lexicographicSortSchema(schema))}\n`).toBe(readFileSync('schema/schema.graphql', 'utf8'));
});

test('every type, field, argument, input field and enum value has a description', () => {
  const described = types.flatMap((type): [string, string | null | undefined][] => {
    const own: [string, string | null | undefined] = [type.name, type.description];
    if (isEnumType(type)) return [own, ...type.getValues().map((value) => named(type.name, value))];
    if (isInputObjectType(type))
      return [own, ...Object.values(type.getFields()).map((field) => named(type.name, field))];
    if (!isObjectType(type) && !isInterfaceType(type)) return [own];
    const fields = Object.values(type.getFields());
    const args = fields.flatMap((field) => field.args.map((arg) => named(`${type.name}.${field.name}`, arg)));
    return [own, ...fields.map((field) => named(type.name, field)), ...args];
  });
  // Root types need no description.
  const undescribed = described.filter(([name, text]) => !text?.trim() && !['Query', 'Mutation'].includes(name));
  expect(undescribed.map(([name]) => name)).toEqual([]);
  expect(described.length).toBeGreaterThan(300);
});

const named = (owner: string, { name, description }: { name: string; description?: string | null | undefined }) =>
  [`${owner}.${name}`, description] as [string, string | null | undefined];

test('introspection reports @oneOf inputs', async () => {
  const query = getIntrospectionQuery({ oneOf: true });
  const { data } = await executeGraphql<IntrospectionQuery, object>(query);
  const inputs = data.__schema.types.filter((type) => type.kind === 'INPUT_OBJECT');
  expect(
    inputs
      .filter(({ isOneOf }) => isOneOf)
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['ArticleBy', 'CommentBy', 'UserBy']);
});

test('a @oneOf input is rejected with no key, two keys, or null', async () => {
  const [id, type] = [globalId('Article', 1), 'ArticleBy'];
  for (const literal of ['{}', `{ id: "${id}", slug: "x" }`, '{ slug: null }', `{ id: "${id}", slug: null }`]) {
    expect(await executeGraphql(`{ article(by: ${literal}) { id } }`), literal).toFailWith('GRAPHQL_VALIDATION_FAILED');
  }
  for (const by of [{}, { id, slug: 'x' }, { slug: null }, { id, slug: null }, null, 'x', [{ slug: 'x' }, {}]]) {
    const response = await executeGraphql<unknown, object>(`query($by: ${type}!) { article(by: $by) { id } }`, {
      by,
    } as object);
    expect(response, JSON.stringify(by)).toFailWith('BAD_USER_INPUT');
  }
});

test('a null variable in a non-null position is BAD_USER_INPUT at any depth', async () => {
  const order = 'orderBy: { field: TITLE, direction: $direction }';
  const documents = [
    'query($slug: String) { article(by: { slug: $slug }) { id } }',
    `query($direction: OrderDirection) { articles(${order}) { totalCount } }`,
    `query($direction: OrderDirection) { articles { nodes { author { articles(${order}) { totalCount } } } } }`,
  ];
  for (const document of documents) {
    const response = await executeGraphql<unknown, object>(document, { slug: null, direction: null } as object);
    expect(response, document).toFailWith('BAD_USER_INPUT');
    expect(response.errors?.[0]?.message).toMatch(/^Argument "(by|orderBy)"/);
  }
});

test('each key of a @oneOf input works', async () => {
  const ann = await aUser('ann');
  const article = await anArticle({ by: ann, title: 'Found' });
  const comment = await aComment({ on: article, by: ann });
  const { data } = await executeGraphql<object, object>(`{
    one: article(by: { id: "${globalId('Article', article.id)}" }) { slug }
    two: article(by: { slug: "found" }) { slug }
    three: user(by: { id: "${globalId('User', ann.id)}" }) { username }
    four: user(by: { username: "ANN" }) { username }
  }`);
  expect(data).toEqual({
    one: { slug: 'found' },
    two: { slug: 'found' },
    three: { username: 'ann' },
    four: { username: 'ann' },
  });
  for (const by of [
    `id: "${globalId('Comment', comment.id)}"`,
    `inArticle: { slug: "found", databaseId: ${comment.id} }`,
  ]) {
    const update = `mutation { updateComment(input: { comment: { ${by} }, body: "Changed" }) { comment { body } errors { code } } }`;
    const response = await executeGraphql<object, object>(update, { as: ann });
    expect(response.data).toEqual({ updateComment: { comment: { body: 'Changed' }, errors: [] } });
  }
});
