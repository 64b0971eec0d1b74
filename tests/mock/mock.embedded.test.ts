import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type OperationDefinitionNode, print } from 'graphql';
import { afterAll, describe, expect, test } from 'vitest';
import * as generated from '../../schema/generated/graphql.ts';
import { readEnvironment } from '../../src/environment.ts';
import { openDemoDatabase } from '../../src/mock/demo-database.ts';
import { buildMockServer } from '../../src/mock/mock-server.ts';
import { DEMO_EMAIL, PASSWORD } from '../../src/seeding/credentials.ts';

const server = await startMock();
const slug = 'hello-conduit';
const article = { slug };

afterAll(() => server.close());

async function startMock() {
  return buildMockServer(await openDemoDatabase(), readEnvironment({}));
}

async function ask<R, V extends object>(
  document: TypedDocumentNode<R, V> | string,
  { as, ...variables }: V & { as?: string } = {} as V,
) {
  const query = typeof document === 'string' ? document : print(document);
  const headers = as ? { authorization: `Token ${as}` } : {};
  const response = await server.inject({ method: 'POST', url: '/graphql', headers, payload: { query, variables } });
  return response.json();
}

async function signedIn(email = DEMO_EMAIL): Promise<string> {
  const { data } = await ask(generated.LoginDocument, { input: { email, password: PASSWORD } });
  return data.login.token;
}

const documents = Object.values(generated)
  .filter((value) => typeof value === 'object' && 'kind' in value)
  .flatMap((document) => {
    const operation = document.definitions.find(({ kind }) => kind === 'OperationDefinition');
    return operation ? [[(operation as OperationDefinitionNode).name?.value ?? '', document] as const] : [];
  });

test('accepts the media types that GraphQL over HTTP recommends', async () => {
  const accept = 'application/graphql-response+json; charset=utf-8, application/json; charset=utf-8';
  const payload = { query: '{ tags { totalCount } }' };
  const response = await server.inject({ method: 'POST', url: '/graphql', headers: { accept }, payload });
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('application/graphql-response+json; charset=utf-8');
});

test('answers at the addresses of the server', async () => {
  const asBrowser = { accept: 'text/html' };
  const payload = { query: '{ __typename }' };
  const status = async (method: 'GET' | 'HEAD', url: string, headers = {}) =>
    (await server.inject({ method, url, headers })).statusCode;
  expect((await server.inject({ method: 'POST', url: '/graphql/', payload })).json().data).toBeTruthy();
  expect([await status('GET', '/', asBrowser), await status('GET', '/')]).toEqual([302, 200]);
  expect([await status('HEAD', '/graphql', asBrowser), await status('HEAD', '/healthz')]).toEqual([200, 200]);
  expect((await server.inject('/nothing')).json().errors[0].extensions.code).toBe('BAD_USER_INPUT');
});

describe('every published operation succeeds', () => {
  test.each(documents)('%s', async (name, document) => {
    const newcomer = { username: `user-${name}`, email: `${name}@example.com`, password: PASSWORD };
    const { token, refreshToken } = (await ask(generated.RegisterDocument, { input: newcomer })).data.register;
    const content = { title: name, description: 'What it is about.', body: 'Some body.', tagList: ['web', 'new'] };
    const created = await ask(generated.CreateArticleDocument, { as: token, input: content });
    const own = { slug: created.data.createArticle.article.slug };
    const added = await ask(generated.AddCommentDocument, { as: token, input: { article: own, body: 'First.' } });
    const comment = { inArticle: { ...own, databaseId: added.data.addComment.comment.databaseId } };
    const inputs: Record<string, object> = {
      AddComment: { article, body: 'Well said.' },
      CreateArticle: content,
      DeleteArticle: { article: own },
      DeleteComment: { comment },
      DeleteUser: { password: PASSWORD },
      FavoriteArticle: { article },
      FollowUser: { user: { username: 'mira' } },
      Login: { email: 'mira@conduit.example', password: PASSWORD },
      RecordArticleRead: { article },
      RefreshSession: { refreshToken },
      Register: { username: `new-${name}`, email: `new-${name}@example.com`, password: PASSWORD },
      UnfavoriteArticle: { article },
      UnfollowUser: { user: { username: 'mira' } },
      UpdateArticle: { article: own, title: 'Another title' },
      UpdateComment: { comment, body: 'On second thought.' },
      UpdateUser: { bio: 'New here.' },
    };
    // Those of the REST API are named after the same mutations, some without their object.
    const [, mutation = ''] = /^(?:Rest)?(.*)$/.exec(name) ?? [];
    const input = inputs[mutation] ?? inputs[`${mutation}User`] ?? inputs[`${mutation}Article`];
    const variables = { as: token, slug, username: 'mira', name: 'web', query: 'web', input };
    const response = await ask(print(document), variables as never);
    expect(response).toSucceed();
    expect(Object.values(response.data)).not.toContain(null);
  });
});

test('every start serves the same data', async () => {
  await ask(generated.CreateArticleDocument, {
    as: await signedIn(),
    input: { title: 'Forgotten', description: 'At the next start.', body: 'Some body.' },
  });
  const query = print(generated.HomePageDocument);
  const mocks = await Promise.all([startMock(), startMock()]);
  const [one, two] = await Promise.all(
    mocks.map((mock) => mock.inject({ method: 'POST', url: '/graphql', payload: { query } })),
  );
  await Promise.all(mocks.map((mock) => mock.close()));
  expect(one?.body).toContain('Code review is a conversation');
  expect(one?.body).not.toContain('Forgotten');
  expect(one?.body).toBe(two?.body);
});

test.each(['', 'no archive'])('a damaged copy in the cache, "%s", is rebuilt', async (content) => {
  const cache = 'node_modules/.cache/mock';
  const [copy = ''] = readdirSync(cache).map((name) => join(cache, name));
  writeFileSync(copy, content);
  const mock = await startMock();
  const query = '{ articles { totalCount } }';
  const response = await mock.inject({ method: 'POST', url: '/graphql', payload: { query } });
  await mock.close();
  expect(response.json().data.articles.totalCount).toBe(60);
  expect(statSync(copy).size).toBeGreaterThan(1e6);
});

test('a list is paged to its end, each item once, with first, after and offset', async () => {
  const filter = { publishedBefore: new Date(Date.now() - 3_600_000).toISOString() };
  const all = (await ask(generated.ArticlesDocument, { first: 100, filter })).data.articles;
  expect(all.edges).toHaveLength(all.totalCount);
  const titles: string[] = [];
  let after: string | null = null;
  do {
    const { articles }: any = (await ask(generated.ArticlesDocument, { first: 7, after, filter })).data;
    expect(articles.totalCount).toBe(all.totalCount);
    titles.push(...articles.edges.map(({ node }: any) => node.title));
    after = articles.pageInfo.hasNextPage ? articles.pageInfo.endCursor : null;
  } while (after);
  expect(titles).toEqual(all.edges.map(({ node }: any) => node.title));
  const { data } = await ask(generated.ArticlesDocument, { first: 3, offset: 10, filter });
  expect(data.articles.edges.map(({ node }: any) => node.title)).toEqual(titles.slice(10, 13));
  expect(await ask(generated.ArticlesDocument, { first: 0 })).toFailWith('BAD_USER_INPUT');
});

test('a list is filtered and ordered', async () => {
  const { data } = await ask(generated.ArticlesDocument, {
    first: 100,
    filter: { author: 'MIRA', tag: 'postgresql' },
    orderBy: { field: 'FAVORITES_COUNT', direction: 'DESC' },
  });
  const nodes = data.articles.edges.map(({ node }: any) => node);
  expect(new Set(nodes.map(({ author }: any) => author.username))).toEqual(new Set(['mira']));
  for (const { tagList } of nodes) expect(tagList).toContain('postgresql');
  expect(nodes.length).toBeGreaterThan(1);
  const counts = nodes.map(({ favoritesCount }: any) => favoritesCount);
  expect(counts).toEqual(counts.toSorted((left: number, right: number) => right - left));
});

test('a mutation changes what later requests return', async () => {
  const token = await signedIn();
  const input = { article };
  const before = (await ask(generated.ArticleDocument, { as: token, slug })).data.article;
  await ask(generated.UnfavoriteArticleDocument, { as: token, input });
  const { data } = await ask(generated.FavoriteArticleDocument, { as: token, input });
  const after = (await ask(generated.ArticleDocument, { as: token, slug })).data.article;
  expect(data.favoriteArticle.article).toEqual(after);
  expect(after).toEqual({
    ...before,
    viewerHasFavorited: true,
    favoritesCount: before.favoritesCount + (before.viewerHasFavorited ? 0 : 1),
  });
});

test('invalid input fails with the errors of each field', async () => {
  const token = await signedIn();
  const input = { title: '', description: 'x'.repeat(501), body: 'Some body.' };
  expect(await ask(generated.CreateArticleDocument, { as: token, input })).toFailWith(
    'BLANK input title',
    'TOO_LONG input description',
  );
  const account = { username: 'MIRA', email: 'new@example.com', password: 'password123' };
  expect(await ask(generated.RegisterDocument, { input: account })).toFailWith('TAKEN input username');
  expect(
    await ask(generated.UpdateArticleDocument, { as: await signedIn('mira@conduit.example'), input: { article } }),
  ).toFailWith('FORBIDDEN');
});

test('a missing resource fails with the path of its input', async () => {
  const as = await signedIn();
  const nowhere = { slug: 'nowhere' };
  expect(await ask(generated.FavoriteArticleDocument, { as, input: { article: nowhere } })).toFailWith(
    'NOT_FOUND input article',
  );
  expect(await ask(generated.FollowUserDocument, { as, input: { user: { username: 'nobody' } } })).toFailWith(
    'NOT_FOUND input user',
  );
  const inNoArticle = { comment: { inArticle: { slug: 'nowhere', databaseId: 1 } } };
  expect(await ask(generated.DeleteCommentDocument, { as, input: inNoArticle })).toFailWith(
    'NOT_FOUND input comment inArticle slug',
  );
  const noComment = { comment: { inArticle: { slug, databaseId: 0 } } };
  expect(await ask(generated.DeleteCommentDocument, { as, input: noComment })).toFailWith('NOT_FOUND input comment');
  expect(await ask(generated.RefreshSessionDocument, { input: { refreshToken: 'none' } })).toFailWith(
    'INVALID_CREDENTIALS input refreshToken',
  );
});

test('an action without a token fails, and so does an invalid token or password', async () => {
  expect(await ask(generated.FavoriteArticleDocument, { input: { article } })).toFailWith('UNAUTHENTICATED');
  expect((await ask(generated.CurrentUserDocument, {})).data).toEqual({ viewer: null });
  expect(await ask('{ viewer { email } }', { as: 'nonsense' })).toFailWith('UNAUTHENTICATED');
  const wrong = { email: DEMO_EMAIL, password: 'not the password' };
  expect(await ask(generated.LoginDocument, { input: wrong })).toFailWith('INVALID_CREDENTIALS');
});

test('/schema.graphql is the published schema', async () => {
  const response = await server.inject('/schema.graphql');
  expect(response.body).toBe(readFileSync('schema/schema.graphql', 'utf8'));
});

describe('npm run mock', () => {
  const run = (args: string[] = [], PORT = '0') =>
    spawn(process.execPath, ['--import', '@oxc-node/core/register', 'src/mock/mock.ts', ...args], {
      env: { ...process.env, PORT },
    });

  test('prints the address it serves, where the pictures of people are too', async () => {
    const mock = run();
    const [said] = await once(createInterface({ input: mock.stdout }), 'line');
    const [address = ''] = /http:\S+(?=\. )/.exec(said) ?? [];
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ articles(first: 1) { totalCount nodes { author { image } } } }' }),
    });
    const { articles } = ((await response.json()) as { data: any }).data;
    expect(articles.totalCount).toBe(60);
    expect((await fetch(articles.nodes[0].author.image)).headers.get('content-type')).toContain('image/svg+xml');
    mock.kill();
  });

  test('fails if its port is in use', async () => {
    const other = createServer().listen(0, 'localhost');
    await once(other, 'listening');
    const mock = run([], String((other.address() as AddressInfo).port));
    expect(await text(mock.stderr)).toContain('EADDRINUSE');
    expect(mock.exitCode ?? (await once(mock, 'exit'))[0]).toBe(1);
    other.close();
  });

  test('prints help, and rejects unknown options and invalid settings', async () => {
    const help = run(['--help']);
    expect(await text(help.stdout)).toContain('PORT=4001 npm run mock');
    const wrong = run(['--port', '5']);
    expect(await text(wrong.stderr)).toBe('"--port 5" is not an option; the only one is --help.\n');
    const place = run([], 'here');
    expect(await text(place.stderr)).toContain('PORT is "here"; it must be a whole number');
  });
});
