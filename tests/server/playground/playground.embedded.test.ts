import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { addDemoBlog } from '../../../src/seeding/demo/demo-blog.ts';
import { Readiness } from '../../../src/server/http/health.ts';
import { publishedOperations } from '../../../src/server/operations/published-operations.ts';
import { playgroundTabs } from '../../../src/server/playground/tabs.ts';
import { buildServer } from '../../../src/server/server.ts';
import { address, orm, post, settings } from '../../support/test-server.ts';

const asBrowser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

describe('the Playground', () => {
  test.each(['/graphql', '/graphql?query=%7Bviewer%7Bemail%7D%7D', '/playground'])(
    'is served to browsers at %s',
    async (path) => {
      const response = await fetch(`${address}${path}`, { headers: asBrowser });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await response.text()).toContain('<title>Conduit GraphQL Playground</title>');
    },
  );

  test('is not served to API clients', async () => {
    const response = await fetch(`${address}/graphql?query={__typename}`, {
      headers: { accept: '*/*', 'apollo-require-preflight': '1' },
    });
    expect(await response.json()).toMatchObject({ data: { __typename: 'Query' } });
  });

  test('only runs scripts with the nonce, which is new for each response', async () => {
    const nonces = await Promise.all(
      [1, 2].map(async () => {
        const response = await fetch(`${address}/playground`);
        const policy = response.headers.get('content-security-policy') ?? '';
        const [, nonce = ''] = /script-src 'nonce-([^']+)'(?:;|$)/.exec(policy) ?? [];
        expect(policy).toMatch(/^default-src 'none';/);
        expect(policy).not.toMatch(/https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline/);
        for (const [tag] of (await response.text()).matchAll(/<(?:script|style)\b[^>]*>/g)) {
          expect(tag).toContain(`nonce="${nonce}"`);
        }
        expect(Buffer.from(nonce, 'base64')).toHaveLength(16);
        return nonce;
      }),
    );
    expect(new Set(nonces).size).toBe(2);
  });

  test('has immutable assets with hashed names', async () => {
    const page = await (await fetch(`${address}/playground`)).text();
    const urls = [...page.matchAll(/\/playground\/[\w.]+/g)].map(([url]) => url);
    expect(urls).toHaveLength(5);
    for (const url of urls) {
      const response = await fetch(address + url);
      expect([url, response.status]).toEqual([url, 200]);
      expect(response.headers.get('cache-control')).toContain('immutable');
      expect((await response.text()).length).toBeGreaterThan(10_000);
    }
    expect((await fetch(`${address}/playground/graphiql.000000000000.js`)).status).toBe(404);
  });

  test('is 404 when disabled', async () => {
    const log = pino({ level: 'silent' });
    const readiness = new Readiness(orm, null, 'not checked');
    const server = await buildServer({ em: orm.em, log, settings: { ...settings, playground: false }, readiness });
    const at = async (url: string) => (await server.inject({ url, headers: asBrowser })).statusCode;
    expect([await at('/graphql'), await at('/playground'), await at('/playground/x.js')]).toEqual([400, 404, 404]);
    await server.close();
  });
});

describe('its tabs', () => {
  const tabs = playgroundTabs(publishedOperations());

  test('are valid operations, each with fitting variables', async () => {
    expect(tabs.length).toBeGreaterThanOrEqual(8);
    for (const { query, variables } of tabs) {
      const { body } = await post({ query, variables: JSON.parse(variables) });
      const codes = (body.errors ?? []).map(({ extensions }) => extensions.code);
      expect([query.split('\n', 1)[0], codes.filter((code) => code !== 'UNAUTHENTICATED')]).toEqual([
        query.split('\n', 1)[0],
        [],
      ]);
    }
  });

  test('succeed on the demo blog after a sign-in', async () => {
    await addDemoBlog(orm.em.fork());
    const login = tabs.find(({ query }) => query.includes('mutation Login')) ?? tabs[0];
    const { body } = await post({ query: login?.query, variables: JSON.parse(login?.variables ?? '') });
    expect(body).toSucceed();
    const { token } = (body.data as { login: { token: string } }).login;
    for (const { query, variables } of tabs) {
      const response = await post({ query, variables: JSON.parse(variables) }, { authorization: `Token ${token}` });
      expect(response.body).toSucceed();
      expect(JSON.stringify(response.body.data)).not.toMatch(/^\{"\w+":null/);
    }
  });

  test('are sorted by position and show exactly what is sent', () => {
    const file = `
      # Playground 2: {}
      query Second { viewer { ...Mail } }
      query Elsewhere { viewer { email } }
      # GET /tags
      # Playground 1: { "first": 3 }
      query First($first: Int) { tags(first: $first) { totalCount } }
      fragment Mail on Viewer { email }`;
    expect(playgroundTabs([file]).map(({ query, variables }) => [query.replace(/\s+/g, ' '), variables])).toEqual([
      ['query First($first: Int) { tags(first: $first) { totalCount } }', '{\n  "first": 3\n}'],
      ['query Second { viewer { ...Mail } } fragment Mail on Viewer { email }', '{}'],
    ]);
  });
});

test('GET /schema.graphql is the committed schema', async () => {
  const response = await fetch(`${address}/schema.graphql`);
  expect(await response.text()).toBe(readFileSync('schema/schema.graphql', 'utf8'));
});
