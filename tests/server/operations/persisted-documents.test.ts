import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import Fastify from 'fastify';
import { getIntrospectionQuery, print } from 'graphql';
import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import * as generated from '../../../schema/generated/graphql.ts';
import { Readiness } from '../../../src/server/http/health.ts';
import { publishedDocuments, publishedOperations } from '../../../src/server/operations/published-operations.ts';
import { addPlayground } from '../../../src/server/playground/playground.ts';
import { buildServer } from '../../../src/server/server.ts';
import { anArticle, aUser } from '../../support/test-data.ts';
import { executeGraphql, orm, settings } from '../../support/test-server.ts';

const QUERY = '{ articles { totalCount } }';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const idOf = (document: object): string => (document as { __meta__: { hash: string } }).__meta__.hash;
const apqExtensions = (hash: unknown, version = 1) => ({ persistedQuery: { version, sha256Hash: hash } });

describe('the manifest', () => {
  test('has every operation, by the SHA-256 of its text', () => {
    const operations = publishedOperations()
      .join('\n')
      .matchAll(/^(?:query|mutation) (\w+)/gm);
    const names = [...operations].map(([, name]) => name).toSorted();
    const texts = publishedDocuments();
    expect(texts.map((text) => /(?:query|mutation) (\w+)/.exec(text)?.[1]).toSorted()).toEqual(names);
    expect(names.length).toBeGreaterThanOrEqual(25);

    const documents = Object.values(generated as unknown as Record<string, TypedDocumentNode>);
    const ids = documents.filter(({ definitions }) => definitions?.[0]?.kind === 'OperationDefinition').map(idOf);
    expect(ids.toSorted()).toEqual(texts.map((text) => `sha256:${sha256(text)}`).toSorted());
  });

  test('requests __typename everywhere, which client caches need', async () => {
    await anArticle({ by: await aUser('ann'), title: 'Found' });
    const { json } = await post({ documentId: idOf(generated.ArticleDocument), variables: { slug: 'found' } });
    expect(json.data).toMatchObject({ article: { __typename: 'Article', author: { __typename: 'User' } } });
  });
});

test('every field of Query and Mutation is in an operation, except node and nodes', async () => {
  const introspected = await executeGraphql<{ __schema: Record<string, { fields: { name: string }[] }> }, object>(
    '{ __schema { queryType { fields { name } } mutationType { fields { name } } } }',
  );
  const fields = Object.values(introspected.data.__schema).flatMap((type) => type.fields.map(({ name }) => name));
  const operations = publishedOperations().join('\n');
  expect(fields.filter((name) => !new RegExp(`^  ${name}\\b`, 'm').test(operations))).toEqual(['node', 'nodes']);
});

describe('a document requested by documentId', () => {
  const documentId = idOf(generated.HomePageDocument);

  test('is executed if it is published', async () => {
    await anArticle({ title: 'Found' });
    for (const response of [await post({ documentId, variables: { first: 1 } }), await get({ documentId })]) {
      expect(response.status).toBe(200);
      expect(response.json.data).toMatchObject({ articles: { edges: [{ node: { title: 'Found' } }] } });
    }
  });

  test('is executed if it was sent with its hash before', async () => {
    const mine = '{ articles(first: 1) { totalCount } }';
    const named = `sha256:${sha256(mine)}`;
    expect(await post({ documentId: named })).toFailWith('PERSISTED_QUERY_NOT_FOUND');
    expect((await post({ documentId: named, query: mine })).json).toMatchObject({
      data: { articles: { totalCount: 0 } },
    });
    expect((await post({ documentId: named })).json).toMatchObject({ data: { articles: { totalCount: 0 } } });
    expect((await get({ extensions: JSON.stringify(apqExtensions(sha256(mine))) })).status).toBe(200);
  });

  test.each([5, {}, ['sha256:'], ' ', 'sha256:', `sha256:${'A'.repeat(64)}`, `md5:${'a'.repeat(64)}`, 'a'.repeat(64)])(
    'is BAD_USER_INPUT for the id %j',
    async (wrong) => {
      const { status, json } = await post({ documentId: wrong, query: QUERY });
      expect(status).toBe(400);
      expect(json).toFailWith('BAD_USER_INPUT');
      const shown = typeof wrong === 'string' ? `"${wrong}"` : inspect(wrong);
      expect(json.errors[0].message).toContain(`The documentId is ${shown}; it must be "sha256:"`);
    },
  );

  test('is rejected if the id or the hash is nested as deep as a request can hold', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const wrong = [`{"documentId":${deep}}`, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":${deep}}}}`];
    const responses = wrong.map(async (payload) => {
      const headers = { 'content-type': 'application/json' };
      return parsed(await servers.any.inject({ method: 'POST', url: '/graphql', headers, payload }));
    });
    const [byId, byHash] = await Promise.all(responses);
    expect(byId?.json).toFailWith('BAD_USER_INPUT');
    expect(byHash?.json).toFailWith('PERSISTED_QUERY_NOT_FOUND');
  });

  test('is rejected with two ids', async () => {
    const url = `/graphql?documentId=${documentId}&documentId=${documentId}`;
    const { status } = parsed(await servers.any.inject({ url, headers: CSRF_HEADER }));
    expect(status).toBe(400);
  });
});

describe('an automatic persisted query', () => {
  const mine = '{ tags { totalCount } }';

  test('is not found, then sent once, then known', async () => {
    const extensions = apqExtensions(sha256(mine));
    expect(await post({ extensions })).toFailWith('PERSISTED_QUERY_NOT_FOUND');
    expect((await post({ extensions })).json.errors[0].message).toBe('PersistedQueryNotFound'); // urql relies on this message
    expect((await post({ extensions, query: mine })).json).toMatchObject({ data: { tags: { totalCount: 0 } } });
    expect((await post({ extensions })).json).toMatchObject({ data: { tags: { totalCount: 0 } } });
    expect((await get({ extensions: JSON.stringify(extensions) })).json).toMatchObject({
      data: { tags: { totalCount: 0 } },
    });
  });

  test('that is published need not be sent', async () => {
    const extensions = apqExtensions(idOf(generated.TagsDocument).slice('sha256:'.length));
    expect((await post({ extensions })).json.data).toMatchObject({ tags: { totalCount: 0 } });
  });

  test.each([
    ['does not match its hash', apqExtensions(sha256('{ viewer { email } }'))],
    ['has an unknown version', apqExtensions(sha256(mine), 2)],
    ['has an invalid hash', apqExtensions({ $ne: '' })],
    ['has no hash', { persistedQuery: true }],
  ])('that %s is BAD_USER_INPUT', async (_, extensions) => {
    expect(await post({ extensions, query: mine })).toFailWith('BAD_USER_INPUT');
  });

  test('is not found with the status of the accepted type, and is not cached', async () => {
    const extensions = JSON.stringify(apqExtensions(sha256('{ nodes(ids: []) { id } }')));
    for (const [accept, status] of [
      ['application/json', 200],
      ['application/graphql-response+json', 400],
    ] as const) {
      const response = await get({ extensions }, { accept });
      expect([accept, response.status]).toEqual([accept, status]);
      expect(response).toFailWith('PERSISTED_QUERY_NOT_FOUND');
      expect(response.headers['cache-control']).toBe('no-store');
    }
  });
});

describe('a persisted query over GET', () => {
  const documentId = idOf(generated.ArticlesDocument);

  test('is cacheable like any other: public for guests, private when signed in', async () => {
    const guest = await get({ documentId });
    expect(guest.headers).toMatchObject({
      'cache-control': 'public, no-cache',
      vary: expect.stringContaining('Authorization'),
    });
    const etag = String(guest.headers.etag);
    expect((await get({ documentId }, { 'if-none-match': etag })).status).toBe(304);

    const ann = await aUser('ann');
    await anArticle({ by: ann });
    const changed = await get({ documentId }, { 'if-none-match': etag, authorization: `Token ${ann.token}` });
    expect(changed.status).toBe(200);
    expect(changed.headers['cache-control']).toBe('private, no-cache');
  });

  test('is rejected if it is a mutation', async () => {
    const { status, json } = await get({ documentId: idOf(generated.LogoutDocument) });
    expect(status).toBe(405);
    expect(json).toFailWith('BAD_USER_INPUT');
  });
});

describe('with TRUSTED_DOCUMENTS=only', () => {
  test('published operations are executed, by hash or by text', async () => {
    const documentId = idOf(generated.HomePageDocument);
    const query = publishedDocuments().find((text) => text.includes('query HomePage')) ?? '';
    const requests = [
      { documentId },
      { extensions: apqExtensions(sha256(query)) },
      { query },
      { query, documentId },
      { query: print(generated.HomePageDocument) },
    ];
    for (const request of requests) {
      expect((await post(request, 'only')).json.data, Object.keys(request).join()).toMatchObject({
        articles: { totalCount: 0 },
      });
    }
  });

  test('other operations are rejected with the reason', async () => {
    const { token } = await aUser('ann');
    const query = 'mutation { logout { ok } }';
    const others = [
      { query },
      { query, extensions: apqExtensions(sha256(query)) },
      { query, documentId: `sha256:${sha256(query)}` },
      { query, extensions: apqExtensions(idOf(generated.HomePageDocument).slice('sha256:'.length)) },
      { query, documentId: idOf(generated.HomePageDocument) },
      { documentId: `sha256:${sha256(query)}` },
      { query: getIntrospectionQuery() },
      { query: `${publishedDocuments()[0]} query More { __typename }` },
    ];
    for (const request of [...others, ...others]) {
      const { json } = await post(request, 'only', { authorization: `Token ${token}` });
      expect(json).toFailWith('PERSISTED_QUERY_NOT_FOUND');
      expect(json.errors[0].message).toBe('This server runs its published documents only, and this is none.');
    }
    expect((await executeGraphql<any, object>('{ viewer { email } }', { as: { token } })).data.viewer.email).toBe(
      'ann@example.com',
    );
  });

  test('invalid requests are still BAD_USER_INPUT', async () => {
    for (const request of [{ query: 5 }, { query: ['{ __typename }'] }, { query: '' }, {}]) {
      expect(await post(request, 'only')).toFailWith('BAD_USER_INPUT');
    }
  });

  test('the Playground, if enabled, can still introspect and execute its tabs', async () => {
    for (const query of addPlayground(Fastify())) {
      const codes = ((await post({ query }, 'onlyWithPlayground')).json.errors ?? []).map(
        (e: any) => e.extensions.code,
      );
      expect(codes).not.toContain('PERSISTED_QUERY_NOT_FOUND');
      expect(await post({ query }, 'only')).toFailWith('PERSISTED_QUERY_NOT_FOUND');
    }
    expect(await post({ query: QUERY }, 'onlyWithPlayground')).toFailWith('PERSISTED_QUERY_NOT_FOUND');
  });
});

const CSRF_HEADER = { 'apollo-require-preflight': '1' };

const serverWith = (more: object) =>
  buildServer({
    em: orm.em,
    log: pino({ level: 'fatal' }),
    settings: { ...settings, ...more },
    readiness: new Readiness(orm, null, 'not checked'),
  });

const servers = {
  any: await serverWith({}),
  only: await serverWith({ trustedDocumentsOnly: true, playground: false }),
  onlyWithPlayground: await serverWith({ trustedDocumentsOnly: true }),
};

afterAll(() => Promise.all(Object.values(servers).map((server) => server.close())));

async function post(payload: object, to: keyof typeof servers = 'any', headers: Record<string, string> = {}) {
  return parsed(await servers[to].inject({ method: 'POST', url: '/graphql', payload, headers }));
}

async function get(parameters: Record<string, string>, headers: Record<string, string> = {}) {
  const url = `/graphql?${new URLSearchParams(parameters)}`;
  return parsed(await servers.any.inject({ url, headers: { ...CSRF_HEADER, ...headers } }));
}

function parsed({ statusCode, headers, body }: { statusCode: number; headers: object; body: string }) {
  const json = body ? JSON.parse(body) : {};
  return { ...json, json, status: statusCode, headers: headers as Record<string, unknown> };
}
