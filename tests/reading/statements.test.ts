import { type GraphQLObjectType, isObjectType } from 'graphql';
import { beforeEach, expect, test } from 'vitest';
import {
  AddCommentDocument,
  ArticleDocument,
  FavoriteArticleDocument,
  FollowUserDocument,
  HomePageDocument,
  ProfilePageDocument,
} from '../../schema/generated/graphql.ts';
import { globalId } from '../../src/graphql/node.ts';
import { statementsDuring } from '../support/statements.ts';
import { aComment, anArticle, type Person } from '../support/test-data.ts';
import { executeGraphql } from '../support/test-server.ts';
import { schema } from './lists.ts';
import { aSmallBlog } from './small-blog.ts';

let ann: Person;
let bob: Person;
let cyd: Person;
beforeEach(async () => {
  [ann, bob, cyd] = (await aSmallBlog()) as [Person, Person, Person];
});

/** The data of a response; errors fail the test. */
async function read(document: string, variables: { as?: Person; [name: string]: unknown } = {}): Promise<any> {
  const response = await executeGraphql<any, object>(document, variables);
  expect(response).toSucceed();
  return response.data;
}

test('a field with several aliases is returned under each', async () => {
  const data = await read(
    '{ one: article(by: { slug: "article-1" }) { a: title b: title title c: author { d: username } } }',
  );
  expect(data).toEqual({ one: { a: 'title b', b: 'title b', title: 'title b', c: { d: 'bob' } } });
});

test('names of built-in object properties work as aliases', async () => {
  const data = await read(`{ articles(first: 1) {
    edges { __proto__: node { constructor: slug toString: author { hasOwnProperty: username } } }
    valueOf: nodes { __proto__: slug }
  } }`);
  expect(data).toEqual({
    articles: {
      edges: [JSON.parse('{ "__proto__": { "constructor": "article-8", "toString": { "hasOwnProperty": "cyd" } } }')],
      valueOf: [JSON.parse('{ "__proto__": "article-8" }')],
    },
  });
});

test('fields with the same response name are merged across fragments', async () => {
  const data = await read(`
    query { article(by: { slug: "article-1" }) { author { username } ...A ...B } }
    fragment A on Article { author { bio } tags { name } }
    fragment B on Node { ... on Article { author { isViewer } tags { id } } }
  `);
  expect(data.article.author).toEqual({ username: 'bob', bio: 'I write.', isViewer: false });
  expect(data.article.tags[0]).toEqual({ name: 'rose', id: globalId('Tag', 2) });
});

test('the same list under two aliases uses the arguments of each', async () => {
  const data = await read(`{
    user(by: { username: "ann" }) {
      newest: articles(first: 1) { nodes { slug } totalCount }
      oldest: articles(first: 2, orderBy: { field: PUBLISHED_AT, direction: ASC }) { nodes { slug } }
      red: articles(filter: { tag: "red" }) { totalCount }
    }
  }`);
  expect(data.user).toEqual({
    newest: { nodes: [{ slug: 'article-9' }], totalCount: 3 },
    oldest: { nodes: [{ slug: 'article-3' }, { slug: 'article-6' }] },
    red: { totalCount: 1 },
  });
});

test('nodes and edges next to each other each return their own selection', async () => {
  const { articles } = await read(`{ articles(first: 2) {
    nodes { x: slug author { x: username } }
    more: nodes { x: title }
    edges { cursor node { x: description author { x: id } } again: node { x: favoritesCount } }
    others: edges { c: cursor }
  } }`);
  expect(articles.nodes).toEqual([
    { x: 'article-8', author: { x: 'cyd' } },
    { x: 'article-5', author: { x: 'cyd' } },
  ]);
  expect(articles.more).toEqual([{ x: 'title c' }, { x: 'title c' }]);
  const [edge] = articles.edges;
  expect(edge.node).toEqual({ x: 'about 8', author: { x: globalId('User', cyd.id) } });
  expect(edge.again).toEqual({ x: 0 });
  expect(articles.others).toEqual(articles.edges.map(({ cursor }: { cursor: string }) => ({ c: cursor })));
});

test('__typename is available everywhere', async () => {
  const data = await read(
    `{
      __typename
      articles(first: 1) { __typename nodes { __typename author { __typename } tags { __typename } }
        edges { __typename node { __typename } } pageInfo { __typename } }
      viewer { __typename user { __typename } feed(first: 1) { edges { __typename node { kind: __typename } } } }
      node(id: "${globalId('Comment', 1)}") { __typename ... on Comment { article { __typename } } }
    }`,
    { as: bob },
  );
  expect(data).toMatchObject({
    __typename: 'Query',
    articles: {
      __typename: 'ArticleConnection',
      nodes: [{ __typename: 'Article', author: { __typename: 'User' } }],
      edges: [{ __typename: 'ArticleEdge', node: { __typename: 'Article' } }],
      pageInfo: { __typename: 'PageInfo' },
    },
    viewer: {
      __typename: 'Viewer',
      user: { __typename: 'User' },
      feed: { edges: [{ __typename: 'ArticleEdge', node: { kind: 'Article' } }] },
    },
    node: { __typename: 'Comment', article: { __typename: 'Article' } },
  });
});

test('__typename can be the only selected field', async () => {
  expect(await read('{ articles(first: 1) { nodes { __typename } edges { node { __typename } } } }')).toEqual({
    articles: { nodes: [{ __typename: 'Article' }], edges: [{ node: { __typename: 'Article' } }] },
  });
  expect(await read(`{ node(id: "${globalId('Tag', 1)}") { __typename } }`)).toEqual({ node: { __typename: 'Tag' } });
});

test('pageInfo can be selected alone, for a full list and for an empty one', async () => {
  const pageInfo = '{ pageInfo { __typename hasPreviousPage } }';
  const data = await read(`{ tags(offset: 0) ${pageInfo} none: tags(prefix: "nothing") ${pageInfo} }`);
  const response = { pageInfo: { __typename: 'PageInfo', hasPreviousPage: false } };
  expect(data).toEqual({ tags: response, none: response });
});

test('@skip and @include apply to fields, lists and fragments', async () => {
  const document = `query($yes: Boolean!, $no: Boolean!) {
    articles(first: 1) {
      totalCount @include(if: $no)
      nodes @skip(if: $no) { slug title @skip(if: $yes) ... @include(if: $no) { body } ...Author @include(if: $yes) }
      edges @include(if: $no) { cursor }
    }
    tags @skip(if: $yes) { totalCount }
  } fragment Author on Article { author @include(if: $yes) { username bio @skip(if: $yes) } }`;
  expect(await read(document, { yes: true, no: false })).toEqual({
    articles: { nodes: [{ slug: 'article-8', author: { username: 'cyd' } }] },
  });
});

test('variables reach lists at any depth, with their defaults', async () => {
  const document = `query($size: Int = 1, $order: CommentOrder, $slug: String!, $by: ArticleBy!) {
    article(by: { slug: $slug }) { comments(first: $size, orderBy: $order) { nodes { body } } }
    same: article(by: $by) { comments(first: $size) { nodes { body } } }
  }`;
  const order = { field: 'CREATED_AT', direction: 'DESC' };
  const data = await read(document, { slug: 'article-1', by: { slug: 'article-1' }, order });
  expect(data.article.comments.nodes).toEqual([{ body: 'comment 8' }]);
  expect(data.same.comments.nodes).toEqual([{ body: 'comment 12' }]);
});

test('an object with the maximum number of aliases returns all of them, also when nested', async () => {
  const many = Array.from({ length: 15 }, (_, number) => `t${number}: title`).join(' ');
  const data = await read(
    `{ article(by: { slug: "article-1" }) { ${many} comments(first: 1) { nodes { article { ${many} } } } } }`,
  );
  const titles = Object.fromEntries(Array.from({ length: 15 }, (_, number) => [`t${number}`, 'title b']));
  expect(data.article).toEqual({ ...titles, comments: { nodes: [{ article: titles }] } });
});

test('node returns every kind of object by its id, and null for an unknown id', async () => {
  const document = `query($id: ID!) { node(id: $id) { __typename id ... on User { username } ... on Article { slug }
    ... on Comment { databaseId } ... on Tag { name } } }`;
  const found = async (id: string) => (await read(document, { id })).node;
  expect(await found(globalId('User', ann.id))).toMatchObject({ username: 'ann' });
  expect(await found(globalId('Article', 1))).toMatchObject({ slug: 'article-1' });
  expect(await found(globalId('Comment', 3))).toMatchObject({ databaseId: 3 });
  expect(await found(globalId('Tag', 1))).toMatchObject({ name: 'red', id: globalId('Tag', 1) });
  const none = [
    globalId('User', 999),
    globalId('Session', 1),
    globalId('Follow', 1),
    globalId('article', 1),
    '',
    '1',
    '💥',
  ];
  for (const id of [...none, globalId('User', 2 ** 31), `${globalId('User', ann.id)}=`, 'a'.repeat(10_000)]) {
    expect(await found(id), id).toBeNull();
  }
});

test('nodes returns each object at the position of its id, whatever its type', async () => {
  const ids = [globalId('Tag', 2), 'nonsense', globalId('User', 1), globalId('User', 1), globalId('Tag', 999)];
  const document = 'query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Tag { name } } }';
  const { nodes } = await read(document, { ids });
  expect(nodes).toEqual([{ id: ids[0], name: 'rose' }, null, { id: ids[2] }, { id: ids[3] }, null]);
  expect((await read(document, { ids: [] })).nodes).toEqual([]);
  expect((await read(document, { ids: ['x', 'y'] })).nodes).toEqual([null, null]);
});

test('nodes accepts at most a hundred ids', async () => {
  const document = 'query($ids: [ID!]!) { nodes(ids: $ids) { id } }';
  const id = globalId('Article', 1);
  expect((await read(document, { ids: Array(100).fill(id) })).nodes).toEqual(Array(100).fill({ id }));
  const response = await executeGraphql<unknown, Record<string, unknown>>(document, { ids: Array(101).fill(id) });
  expect(response).toFailWith('BAD_USER_INPUT');
  expect(response.errors?.[0]?.message).toBe('nodes(ids:) has 101 items; it must have at most 100.');
});

test('filters without matches and extreme dates return empty lists', async () => {
  const total = async (filter: object) => {
    const document = 'query($filter: ArticleFilter) { articles(filter: $filter) { totalCount nodes { id } } }';
    return (await read(document, { filter })).articles.totalCount;
  };
  expect(await total({ tag: 'a\0b' })).toBe(0);
  expect(await total({ tagsAny: ['\ud800'] })).toBe(0);
  expect(await total({ tagsAny: [] })).toBe(0);
  expect(await total({ tagsAll: [] })).toBe(9);
  expect(await total({ author: 'nobody' })).toBe(0);
  expect(await total({ favoritedBy: 'a\0b' })).toBe(0);
  expect(await total({ publishedAfter: '9999-12-31T23:59:59.999Z' })).toBe(0);
  expect(await total({ publishedAfter: '0001-01-01T00:00:00.000Z' })).toBe(9);
  expect(await total({ publishedBefore: '2026-01-02T01:00:00.000+01:00' })).toBe(0);
  expect(await total({ updatedAfter: '9999-12-31T23:59:59.999Z' })).toBe(0);
  expect(await total({ updatedAfter: '0001-01-01T00:00:00.000Z' })).toBe(9);
  expect(await total({ updatedBefore: '0001-01-01T00:00:00.000Z' })).toBe(0);
  expect(await total({ updatedAfter: null, updatedBefore: null })).toBe(9);
});

test('invalid dates are BAD_USER_INPUT', async () => {
  for (const date of ['2026-02-30T00:00:00Z', 'tomorrow', '']) {
    const response = await executeGraphql<unknown, Record<string, unknown>>(
      'query($date: DateTime) { articles(filter: { publishedAfter: $date }) { totalCount } }',
      { date },
    );
    expect(response, date).toFailWith('BAD_USER_INPUT');
  }
});

test('every field of a query takes one statement, however much is selected below it', async () => {
  const depth =
    'author { followers(first: 2) { nodes { articles(first: 2) { nodes { tags { name } comments(first: 2) { edges { node { author { id } } } } } } } } }';
  const documents = [
    `{ articles { totalCount pageInfo { hasNextPage } nodes { ${depth} } } }`,
    `{ article(by: { slug: "article-1" }) { ${depth} tagList viewerHasFavorited } }`,
    '{ user(by: { username: "ann" }) { favorites { nodes { id } } followers { totalCount } following { totalCount } } }',
    '{ tags { nodes { articles { nodes { title } } } } }',
    '{ tag(name: "red") { articles { nodes { title author { username } } } } }',
    `{ node(id: "${globalId('Article', 1)}") { ... on Article { ${depth} } } }`,
    `{ nodes(ids: ["${globalId('Article', 1)}", "${globalId('Article', 2)}", "x"]) { ... on Article { ${depth} } } }`,
    `{ search(query: "ann") { totalCount edges { textMatches { fragment } node { ... on Article { title author { username } tagList } ... on User { username } } } } }`,
    '{ viewer { email } }',
  ];
  for (const document of documents) {
    expect((await statementsDuring(() => read(document))).length, document).toBeLessThanOrEqual(1);
  }
  const fields = documents.map((document) => /^\{ (\w+)/.exec(document)?.[1]);
  expect(fields.toSorted()).toEqual(Object.keys((schema.getQueryType() as GraphQLObjectType).getFields()).toSorted());
});

test('the pages of a frontend take one statement, which also authenticates the viewer', async () => {
  const as = ann;
  expect(await statementsDuring(() => executeGraphql(HomePageDocument, { as }))).toHaveLength(1);
  expect(await statementsDuring(() => executeGraphql(ProfilePageDocument, { as, username: 'bob' }))).toHaveLength(1);
  expect(await statementsDuring(() => executeGraphql(ArticleDocument, { as, slug: 'article-1' }))).toHaveLength(1);
  expect(
    await statementsDuring(() => executeGraphql('{ viewer { feed { totalCount nodes { id } } } }', { as })),
  ).toHaveLength(1);
});

test('many fields are split into several statements, which PostgreSQL runs in parallel', async () => {
  const fields = Array.from({ length: 10 }, (_, n) => `a${n}: article(by: { slug: "article-${n}" }) { slug }`);
  const document = `{ ${fields.join(' ')} }`;
  expect(await statementsDuring(() => read(document, { as: ann }))).toHaveLength(3);
  const data = await read(document, { as: ann });
  expect(Object.entries(data)).toEqual(fields.map((_, n) => [`a${n}`, n === 0 ? null : { slug: `article-${n}` }]));
});

test('counts only when totalCount is selected', async () => {
  const [statement] = await statementsDuring(() => read('{ articles { nodes { id } } }'));
  expect(statement?.text).not.toContain('select count(');
});

test("a mutation's payload shows the state after the mutation", async () => {
  const { slug } = await anArticle({ by: ann, title: 'Fresh' });
  const article = { slug };
  const favored = await executeGraphql(FavoriteArticleDocument, { as: bob, input: { article } });
  expect(favored.data.favoriteArticle?.article).toMatchObject({ favoritesCount: 1, viewerHasFavorited: true });
  const commented = await executeGraphql(AddCommentDocument, { as: cyd, input: { article, body: 'First!' } });
  expect(commented.data.addComment).toMatchObject({ comment: { body: 'First!' }, article: { commentsCount: 1 } });
  const followed = await executeGraphql(FollowUserDocument, { as: cyd, input: { user: { username: 'dan' } } });
  expect(followed.data.followUser?.user).toMatchObject({ viewerIsFollowing: true, followersCount: 2 });
});

test('mutations in one document each show the state right after themselves', async () => {
  const input = '(input: { article: { slug: "article-4" } }) { article { favoritesCount viewerHasFavorited } }';
  const data = await read(
    `mutation { one: favoriteArticle${input} two: unfavoriteArticle${input} three: favoriteArticle${input} }`,
    { as: cyd },
  );
  expect(data).toEqual({
    one: { article: { favoritesCount: 1, viewerHasFavorited: true } },
    two: { article: { favoritesCount: 0, viewerHasFavorited: false } },
    three: { article: { favoritesCount: 1, viewerHasFavorited: true } },
  });
});

test('entities in payloads take the same selections as queries do, with lists and arguments', async () => {
  const data = await read(
    `mutation { favoriteArticle(input: { article: { slug: "article-1" } }) {
      liked: article { tagList comments(last: 1) { totalCount edges { node { body author { isViewer } } } } }
      again: article { author { favorites { totalCount } } }
    } }`,
    { as: ann },
  );
  expect(data.favoriteArticle.liked.comments).toMatchObject({ totalCount: 3 });
  expect(data.favoriteArticle.liked.tagList).toEqual(['rose', 'red']);
  expect(data.favoriteArticle.again.author.favorites).toEqual({ totalCount: 2 });
});

test('concurrent viewers each see only their own flags', async () => {
  const article = await anArticle({ by: ann, title: 'Shared' });
  const { id } = await aComment({ on: article, by: bob });
  await executeGraphql(FavoriteArticleDocument, { as: bob, input: { article: { slug: 'shared' } } });
  const document = `{ viewer { user { username } } article(by: { slug: "shared" }) {
    viewerHasFavorited viewerCanUpdate viewerCanDelete author { isViewer viewerIsFollowing }
    comments { nodes { databaseId viewerCanUpdate viewerCanDelete } } } }`;
  const seenBy = (name: string) => ({
    viewer: name === 'guest' ? null : { user: { username: name } },
    article: {
      viewerHasFavorited: name === 'bob',
      viewerCanUpdate: name === 'ann',
      viewerCanDelete: name === 'ann',
      author: { isViewer: name === 'ann', viewerIsFollowing: name === 'bob' || name === 'cyd' },
      comments: {
        nodes: [{ databaseId: id, viewerCanUpdate: name === 'bob', viewerCanDelete: name === 'bob' || name === 'ann' }],
      },
    },
  });
  const viewers = Array.from({ length: 80 }, (_, index) => [ann, bob, cyd, undefined][index % 4]);
  const responses = await Promise.all(viewers.map((as) => read(document, as && { as })));
  expect(responses).toEqual(viewers.map((as) => seenBy(as?.username ?? 'guest')));
});

test('every field of every object type can be read', async () => {
  const leaves = (name: string) => {
    const type = schema.getType(name);
    if (!isObjectType(type)) throw new Error(`${name} is not an object type.`);
    return Object.values(type.getFields()).filter(
      ({ args, type: of }) => args.length === 0 && !/^\[?(User|Article|Tag)/.test(`${of}`),
    );
  };
  const all = (name: string) =>
    leaves(name)
      .map((field) => field.name)
      .join(' ');
  const data = await read(
    `{ viewer { ${all('Viewer')} user { ${all('User')} } }
       articles { nodes { ${all('Article')} comments(first: 5) { nodes { ${all('Comment')} author { username } } } } }
       tags { nodes { ${all('Tag')} } } }`,
    { as: ann },
  );
  expect(data.viewer.user).toMatchObject({
    isViewer: true,
    articlesCount: 3,
    bio: 'I write.',
    image: 'https://example.com/1.png',
  });
  expect(
    data.articles.nodes.every(({ createdAt }: { createdAt: string }) =>
      /^\d{4}-..-..T..:..:..\.\d{3}Z$/.test(createdAt),
    ),
  ).toBe(true);
  const comments = data.articles.nodes.flatMap(
    (node: { comments: { nodes: { author: null | object }[] } }) => node.comments.nodes,
  );
  expect(comments.filter(({ author }: { author: object | null }) => author === null)).toHaveLength(2);
});
