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
import { blog, orm } from '../support/blog.ts';
import { aComment, anArticle, aUser } from '../support/people.ts';

const schema = buildSchema(orm.em);
const types = Object.values(schema.getTypeMap()).filter(
  (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
);

test('schema/schema.graphql is what the code says', () => {
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
  // The root types are named by what they are.
  const bare = described.filter(([name, text]) => !text?.trim() && !['Query', 'Mutation'].includes(name));
  expect(bare.map(([name]) => name)).toEqual([]);
  expect(described.length).toBeGreaterThan(300);
});

const named = (owner: string, { name, description }: { name: string; description?: string | null | undefined }) =>
  [`${owner}.${name}`, description] as [string, string | null | undefined];

test('introspection says which inputs want exactly one key', async () => {
  const query = getIntrospectionQuery({ oneOf: true });
  const { data } = await blog<IntrospectionQuery, object>(query);
  const inputs = data.__schema.types.filter((type) => type.kind === 'INPUT_OBJECT');
  expect(
    inputs
      .filter(({ isOneOf }) => isOneOf)
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['ArticleBy', 'CommentBy', 'UserBy']);
});

test('an input that wants exactly one key is refused with none, with two, and with a null', async () => {
  const [id, type] = [globalId('Article', 1), 'ArticleBy'];
  for (const literal of ['{}', `{ id: "${id}", slug: "x" }`, '{ slug: null }', `{ id: "${id}", slug: null }`]) {
    expect(await blog(`{ article(by: ${literal}) { id } }`), literal).toFailWith('GRAPHQL_VALIDATION_FAILED');
  }
  for (const by of [{}, { id, slug: 'x' }, { slug: null }, { id, slug: null }, null, 'x', [{ slug: 'x' }, {}]]) {
    const answer = await blog<unknown, object>(`query($by: ${type}!) { article(by: $by) { id } }`, { by } as object);
    expect(answer, JSON.stringify(by)).toFailWith('BAD_USER_INPUT');
  }
});

test('a variable that is null where there must be something is BAD_USER_INPUT, however deep it stands', async () => {
  const order = 'orderBy: { field: TITLE, direction: $direction }';
  const documents = [
    'query($slug: String) { article(by: { slug: $slug }) { id } }',
    `query($direction: OrderDirection) { articles(${order}) { totalCount } }`,
    `query($direction: OrderDirection) { articles { nodes { author { articles(${order}) { totalCount } } } } }`,
  ];
  for (const document of documents) {
    const answer = await blog<unknown, object>(document, { slug: null, direction: null } as object);
    expect(answer, document).toFailWith('BAD_USER_INPUT');
    expect(answer.errors?.[0]?.message).toMatch(/^Argument "(by|orderBy)"/);
  }
});

test('each key of an input that wants exactly one finds the thing', async () => {
  const ann = await aUser('ann');
  const article = await anArticle({ by: ann, title: 'Found' });
  const comment = await aComment({ on: article, by: ann });
  const { data } = await blog<object, object>(`{
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
    const answer = await blog<object, object>(update, { as: ann });
    expect(answer.data).toEqual({ updateComment: { comment: { body: 'Changed' }, errors: [] } });
  }
});
