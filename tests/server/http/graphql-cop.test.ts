import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { orm, settings } from '../../support/test-server.ts';

/** The checks of graphql-cop against a server with production settings. */

const server = await buildServer({
  em: orm.em,
  log: pino({ level: 'silent' }),
  settings: { ...settings, production: true, introspection: false, playground: false },
  readiness: new Readiness(orm, null, 'not checked'),
});
const address = `${await server.listen({ port: 0, host: '127.0.0.1' })}/graphql`;
afterAll(() => server.close());

/** The response as text, and as JSON if it is. */
async function send(init: RequestInit, search = ''): Promise<{ text: string; json: any }> {
  const text = await (await fetch(`${address}${search}`, init)).text();
  try {
    return { text, json: JSON.parse(text) };
  } catch {
    return { text, json: {} };
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };
const query = (text: string) => send({ method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ query: text }) });
const link = (text: string) => send({}, `?query=${encodeURIComponent(text)}`);
const repeated = (count: number, write: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => write(index)).join(' ');

test.each<[check: string, isFound: () => Promise<boolean>]>([
  ['suggestions of fields', async () => (await query('{ __schema { directive } }')).text.includes('Did you mean')],
  ['introspection', async () => Boolean((await query('{ __schema { types { name fields { name } } } }')).json.data)],
  ['an IDE', async () => /graphiql|playground/i.test((await send({ headers: { accept: 'text/html' } })).text)],
  ['queries by GET', async () => Boolean((await link('query cop { __typename }')).json.data)],
  ['mutations by GET', async () => Boolean((await link('mutation cop { __typename }')).json.data)],
  [
    'a hundred aliases',
    async () => Boolean((await query(`{ ${repeated(101, (i) => `a${i}: __typename`)} }`)).json.data),
  ],
  ['500 copies of a field', async () => Boolean((await query(`{ ${repeated(500, () => '__typename')} }`)).json.data)],
  [
    'ten copies of a directive',
    async () => (await query(`{ __typename ${repeated(10, () => '@aa')} }`)).json.errors.length >= 10,
  ],
  [
    'a batch of ten queries',
    async () => {
      const body = JSON.stringify(Array(10).fill({ query: '{ __typename }' }));
      const { json } = await send({ method: 'POST', headers: JSON_TYPE, body });
      return Array.isArray(json) || Boolean(json.data);
    },
  ],
  [
    'circular introspection',
    async () => {
      const around = `${'{ fields { type '.repeat(4)}{ name }${' } }'.repeat(4)}`;
      return Boolean((await query(`{ __schema { types ${around} } }`)).json.data);
    },
  ],
  [
    'queries from forms',
    async () => {
      const body = new URLSearchParams({ query: '{ __typename }' });
      return Boolean((await send({ method: 'POST', body })).json.data);
    },
  ],
  ['tracing', async () => JSON.stringify((await query('{ __typename }')).json).includes('tracing')],
  ['exceptions', async () => /exception|stack/i.test((await query('qwerty cop { abc }')).text)],
])('graphql-cop does not find %s', async (_, isFound) => {
  expect(await isFound()).toBe(false);
});
