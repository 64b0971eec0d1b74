// @module-tag security
import { type GraphQLField, getNamedType, isCompositeType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { invalidValues } from '../support/invalid-values.ts';
import { introspectSchema } from '../support/schema.ts';
import { aComment, anArticle, aSession, aUser, PASSWORD } from '../support/test-data.ts';
import { deleteAllRows, type GraphQLResponse, orm, post } from '../support/test-server.ts';

/** Every position of every input, generated from the schema, gets a documented result for bad values. */

const schema = await introspectSchema();

/** A valid input of each mutation. A mutation without a row fails its test. */
const GOOD_INPUT: Record<string, object> = {
  register: { username: 'new', email: 'new@example.com', password: 'secret-secret' },
  login: { email: 'ann@example.com', password: PASSWORD },
  refreshSession: { refreshToken: 'none' },
  logout: { everywhere: false },
  updateViewer: {
    username: 'anna',
    email: 'anna@example.com',
    password: 'secret-secret',
    bio: 'I write.',
    image: 'https://example.com/ann.png',
    currentPassword: PASSWORD,
  },
  deleteViewer: { password: PASSWORD },
  followUser: { user: { username: 'bob' } },
  unfollowUser: { user: { username: 'bob' } },
  createArticle: { title: 'Title', description: 'd', body: 'b', tagList: ['one', 'two'] },
  updateArticle: { article: { slug: 'hers' }, title: 'Title', description: 'd', body: 'b', tagList: ['three'] },
  deleteArticle: { article: { slug: 'hers' } },
  favoriteArticle: { article: { slug: 'hers' } },
  unfavoriteArticle: { article: { slug: 'hers' } },
  recordArticleRead: { article: { slug: 'hers' } },
  addComment: { article: { slug: 'hers' }, body: 'Well said.' },
  updateComment: { comment: { inArticle: { slug: 'hers', databaseId: 1 } }, body: 'Better said.' },
  deleteComment: { comment: { inArticle: { slug: 'hers', databaseId: 1 } } },
};

test.each(Object.entries(schema.getMutationType()?.getFields() ?? {}))(
  '%s rejects bad input with a documented error and changes nothing',
  async (name, field) => {
    const [argument] = field.args;
    const good = GOOD_INPUT[name];
    if (!argument || !good) throw new Error(`${name} has no row in GOOD_INPUT.`);
    const hasErrors = isObjectType(field.type) && 'errors' in field.type.getFields();
    const errors = hasErrors ? 'errors { code path message }' : '';
    const query = `mutation Spoilt($input: ${argument.type}) { ${name}(input: $input) { __typename ${errors} } }`;

    let token = await aBlog();
    let before = await contents();
    const problems: string[] = [];
    for (const [path, bad] of invalidValues(argument.type, good, 'input')) {
      const response = (await send(query, { input: bad }, token)) as GraphQLResponse<
        Record<string, { errors?: unknown[] } | null>
      >;
      const what = `${path}: ${JSON.stringify(bad)?.slice(0, 200)}`;
      problems.push(...undocumented(response).map((code) => `${what} returns ${code}`));
      if (response.errors || response.data[name]?.errors?.length) {
        const after = await contents();
        if (!same(before, after)) problems.push(`${what} fails but changes something`);
      } else {
        token = await aBlog();
        before = await contents();
      }
    }
    expect(problems).toEqual([]);
  },
);

/** A query that reaches a type whose fields have arguments. */
const PATHS: Record<string, (field: string) => string> = {
  Query: (field) => field,
  Viewer: (field) => `viewer { ${field} }`,
  User: (field) => `user(by: { username: "ann" }) { ${field} }`,
  Article: (field) => `article(by: { slug: "hers" }) { ${field} }`,
  Tag: (field) => `tag(name: "one") { ${field} }`,
};

const FIELDS_WITH_ARGUMENTS = Object.values(schema.getTypeMap()).flatMap((type) =>
  isObjectType(type) && type !== schema.getMutationType() && !type.name.startsWith('__')
    ? Object.values(type.getFields())
        .filter(({ args }) => args.length > 0)
        .map((field): [string, string, GraphQLField<unknown, unknown>] => [type.name, field.name, field])
    : [],
);

test.each(FIELDS_WITH_ARGUMENTS)(
  '%s.%s returns data or a documented error for any argument',
  async (type, _, field) => {
    const wrap = PATHS[type];
    if (!wrap) throw new Error(`${type} has fields with arguments, but no row in PATHS.`);
    const token = await aBlog();
    const problems: string[] = [];
    for (const { name, type: given } of field.args) {
      const query = `query Spoilt($value: ${given}) { ${wrap(`${field.name}(${name}: $value) ${selectionOf(field)}`)} }`;
      for (const [path, bad] of invalidValues(given, undefined, name)) {
        const response = await send(query, { value: bad }, token);
        const what = `${path}: ${JSON.stringify(bad)?.slice(0, 200)}`;
        problems.push(...undocumented(response).map((code) => `${what} returns ${code}`));
      }
    }
    expect(problems).toEqual([]);
  },
);

test('aliases may be any name, also __proto__ and constructor', async () => {
  await aBlog();
  const { data } = await send(
    '{ __proto__: articles { constructor: nodes { __proto__: title toString: slug hasOwnProperty: author { __proto__: username } } } }',
  );
  expect(JSON.stringify(data)).toBe(
    '{"__proto__":{"constructor":[{"__proto__":"Hers","toString":"hers","hasOwnProperty":{"__proto__":"ann"}}]}}',
  );
});

test('nodes returns null for unknown ids, and an empty list for none', async () => {
  await aBlog();
  const id = (text: string) => Buffer.from(text).toString('base64url');
  const query = 'query Nodes($ids: [ID!]!) { nodes(ids: $ids) { __typename } }';
  expect((await send(query, { ids: [] })).data).toEqual({ nodes: [] });
  expect((await send(query, { ids: ['nothing', '\0'] })).data).toEqual({ nodes: [null, null] });
  const mixed = [id('User:1'), id('User:99'), 'nothing', id('Article:1'), id('User:1')];
  expect((await send(query, { ids: mixed })).data).toEqual({
    nodes: [{ __typename: 'User' }, null, null, { __typename: 'Article' }, { __typename: 'User' }],
  });
  expect((await send(query, { ids: Array(100).fill(id('User:1')) })).data).toEqual({
    nodes: Array(100).fill({ __typename: 'User' }),
  });
  expect(await send(query, { ids: Array(101).fill(id('User:1')) })).toFailWith('BAD_USER_INPUT');
});

const DOCUMENTED = new Set([
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'QUERY_TOO_COMPLEX',
  'RATE_LIMITED',
]);

const undocumented = ({ errors = [] }: GraphQLResponse<unknown>) =>
  errors.filter(({ extensions }) => !DOCUMENTED.has(extensions.code)).map(({ extensions }) => extensions.code);

function selectionOf(field: GraphQLField<unknown, unknown>): string {
  const named = getNamedType(field.type);
  if (!isCompositeType(named)) return '';
  return named.name.endsWith('Connection') ? '{ totalCount pageInfo { startCursor } nodes { id } }' : '{ __typename }';
}

/** Empties the database, adds Ann with an article and a comment, and Bob; returns Ann's token. */
async function aBlog(): Promise<string> {
  await deleteAllRows();
  const ann = await aUser('ann');
  await aUser('bob');
  const article = await anArticle({ by: ann, title: 'Hers', tagList: ['one', 'two'] });
  await aComment({ on: article, by: ann });
  return (await aSession(ann)).token;
}

async function send(query: string, variables = {}, token?: string): Promise<GraphQLResponse<unknown>> {
  return (await post({ query, variables }, token ? { authorization: `Token ${token}` } : {})).body;
}

/** A digest of each table. */
async function contents(): Promise<unknown> {
  const tables = ['users', 'sessions', 'follows', 'articles', 'article_tags', 'tags', 'favorites', 'comments'];
  const digest = (table: string) =>
    `select '${table}' as name, md5(coalesce(string_agg(row::text, '|' order by row::text), '')) from ${table} as row`;
  return orm.em.fork().execute(tables.map(digest).join(' union all '));
}

const same = (left: unknown, right: unknown) => JSON.stringify(left) === JSON.stringify(right);
