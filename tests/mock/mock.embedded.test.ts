import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type OperationDefinitionNode, print } from 'graphql';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import * as generated from '../../schema/generated/graphql.ts';
import { buildMockServer } from '../../src/mock/server.ts';

const publishedSchema = readFileSync('schema/schema.graphql', 'utf8');
let server = await buildMockServer(publishedSchema);

beforeEach(async () => {
  await server.close();
  server = await buildMockServer(publishedSchema);
});

afterAll(() => server.close());

async function ask<R, V extends object>(
  document: TypedDocumentNode<R, V> | string,
  { as, ...variables }: V & { as?: string } = {} as V,
) {
  const query = typeof document === 'string' ? document : print(document);
  const headers = as ? { authorization: `Token ${as}` } : {};
  const answer = await server.inject({ method: 'POST', url: '/graphql', headers, payload: { query, variables } });
  return answer.json();
}

async function signedIn(email = 'johndoe@conduit.example'): Promise<string> {
  const { data } = await ask(generated.LoginDocument, { input: { email, password: 'anything' } });
  return data.login.token;
}

const documents = Object.values(generated)
  .filter((value) => typeof value === 'object' && 'kind' in value)
  .flatMap((document) => {
    const operation = document.definitions.find(({ kind }) => kind === 'OperationDefinition');
    return operation ? [[(operation as OperationDefinitionNode).name?.value ?? '', document] as const] : [];
  });

/** The variables of the published operations: those they share, and the input of each mutation. */
const slug = 'hello-conduit';
const article = { slug };
const comment = { inArticle: { slug, databaseId: 0 } };
const INPUTS: Record<string, object> = {
  AddComment: { article, body: 'Well said.' },
  CreateArticle: { title: 'A title', description: 'What it is about.', body: 'Some body.', tagList: ['web', 'new'] },
  DeleteArticle: { article },
  DeleteComment: { comment },
  DeleteUser: { password: 'anything' },
  FavoriteArticle: { article },
  FollowUser: { user: { username: 'mira' } },
  Login: { email: 'mira@conduit.example', password: 'anything' },
  Register: { username: 'newcomer', email: 'newcomer@example.com', password: 'password123' },
  UnfavoriteArticle: { article },
  UnfollowUser: { user: { username: 'mira' } },
  UpdateArticle: { article, title: 'Another title' },
  UpdateComment: { comment, body: 'On second thought.' },
  UpdateUser: { bio: 'New here.' },
};

describe('every published operation is answered', () => {
  test.each(documents)('%s', async (name, document) => {
    const token = await signedIn();
    const own = await ask(generated.AddCommentDocument, { as: token, input: { article, body: 'First.' } });
    comment.inArticle.databaseId = own.data.addComment.comment.databaseId;
    const { data } = await ask(generated.LoginDocument, { input: INPUTS.Login as never });
    const input = name === 'RefreshSession' ? { refreshToken: data.login.refreshToken } : INPUTS[name];
    const answer = await ask(print(document), { as: token, slug, username: 'mira', name: 'web', input } as never);
    expect(answer).toSucceed();
    expect(Object.values(answer.data)).not.toContain(null);
  });
});

test('two servers give the same answer', async () => {
  const other = await buildMockServer(publishedSchema);
  const query = print(generated.HomePageDocument);
  const [one, two] = await Promise.all(
    [server, other].map((each) => each.inject({ method: 'POST', url: '/graphql', payload: { query } })),
  );
  expect(one?.body).toBe(two?.body);
  await other.close();
});

test('a list is paged to its end, each item once, with first, after and offset', async () => {
  const all = (await ask(generated.ArticlesDocument, { first: 100 })).data.articles;
  expect(all.edges).toHaveLength(all.totalCount);
  const titles: string[] = [];
  let after: string | null = null;
  do {
    const { articles }: any = (await ask(generated.ArticlesDocument, { first: 7, after })).data;
    expect(articles.totalCount).toBe(all.totalCount);
    titles.push(...articles.edges.map(({ node }: any) => node.title));
    after = articles.pageInfo.hasNextPage ? articles.pageInfo.endCursor : null;
  } while (after);
  expect(titles).toEqual(all.edges.map(({ node }: any) => node.title));
  const { data } = await ask(generated.ArticlesDocument, { first: 3, offset: 10 });
  expect(data.articles.edges.map(({ node }: any) => node.title)).toEqual(titles.slice(10, 13));
  expect(await ask(generated.ArticlesDocument, { first: 0 })).toFailWith('BAD_USER_INPUT');
});

test('a list is filtered and ordered', async () => {
  const { data } = await ask(generated.ArticlesDocument, {
    first: 100,
    filter: { author: 'MIRA' },
    orderBy: { field: 'FAVORITES_COUNT', direction: 'DESC' },
  });
  const nodes = data.articles.edges.map(({ node }: any) => node);
  expect(new Set(nodes.map(({ author }: any) => author.username))).toEqual(new Set(['mira']));
  const counts = nodes.map(({ favoritesCount }: any) => favoritesCount);
  expect(counts).toEqual(counts.toSorted((left: number, right: number) => right - left));
});

test('what a mutation changed is there for every later answer', async () => {
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

test('a form is told what is wrong with it, as the real server does', async () => {
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

test('who asks for what is not there is told where they named it, as the real server does', async () => {
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

test('a guest is asked to sign in, and a bad token fails', async () => {
  expect(await ask(generated.FavoriteArticleDocument, { input: { article } })).toFailWith('UNAUTHENTICATED');
  expect(await ask(generated.CurrentUserDocument, {})).toEqual({ data: { viewer: null } });
  expect(await ask('{ viewer { email } }', { as: 'nonsense' })).toFailWith('UNAUTHENTICATED');
});

test('the schema is there for code generators, and is the published one', async () => {
  const answer = await server.inject('/schema.graphql');
  expect(answer.body).toBe(publishedSchema);
});

describe('npm run mock', () => {
  const run = (args: string[] = [], PORT = '0') =>
    spawn(process.execPath, ['--import', '@oxc-node/core/register', 'src/mock/mock.ts', ...args], {
      env: { ...process.env, PORT },
    });

  test('says where it listens, and answers there', async () => {
    const mock = run();
    const [said] = await once(createInterface({ input: mock.stdout }), 'line');
    const [address = ''] = /http:\S+(?=\. )/.exec(said) ?? [];
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ articles { totalCount } }' }),
    });
    expect(await response.json()).toEqual({ data: { articles: { totalCount: 60 } } });
    mock.kill();
  });

  test('explains itself with --help, and refuses what it does not know', async () => {
    const help = run(['--help']);
    expect(await text(help.stdout)).toContain('PORT=4001 npm run mock');
    const wrong = run(['--port', '5']);
    expect(await text(wrong.stderr)).toBe('"--port 5" is no option; the only one is --help.\n');
    const place = run([], 'here');
    expect(await text(place.stderr)).toContain('PORT is "here"; it must be a whole number');
  });
});
