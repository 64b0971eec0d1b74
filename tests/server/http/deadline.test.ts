import { pino } from 'pino';
import { afterAll, expect, inject, test, vi } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { statementsDuring } from '../../support/statements.ts';
import { aUser } from '../../support/test-data.ts';
import { orm, settings } from '../../support/test-server.ts';

/** Requests that take too long because they wait for a lock. */

const server = await buildServer({
  em: orm.em,
  log: pino({ level: 'silent' }),
  settings: { ...settings, requestTimeoutSeconds: 1 },
  readiness: new Readiness(orm, null, 'not checked'),
});
const address = await server.listen({ port: 0, host: '127.0.0.1' });
afterAll(() => server.close());

const send = (query: string, more: RequestInit = {}) =>
  fetch(`${address}/graphql`, {
    method: 'POST',
    body: JSON.stringify({ query }),
    ...more,
    headers: { 'content-type': 'application/json', ...more.headers },
  });

/** Locks the tables meanwhile; `waiting` counts the statements that wait for them. */
const whileHeld = <T>(act: (waiting: () => Promise<number>) => Promise<T>, tables = 'articles, users'): Promise<T> =>
  orm.em.fork().transactional(async (em) => {
    await em.execute(`lock table ${tables} in access exclusive mode`);
    return act(async () => {
      await em.execute('select pg_stat_clear_snapshot()');
      const [row] = await em.execute<[{ count: number }]>(
        `select count(*)::int as count from pg_stat_activity
         where datname = current_database() and state = 'active' and wait_event_type = 'Lock'`,
      );
      return row.count;
    });
  });

test('a query past the deadline is aborted together with its statements', async () => {
  const responses = await whileHeld(async (waiting) => {
    const five = await Promise.all([1, 2, 3, 4, 5].map(() => send('{ articles { totalCount } }')));
    await vi.waitFor(async () => expect(await waiting()).toBe(0));
    return five;
  });
  for (const response of responses) {
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    const extensions = { code: 'SERVICE_UNAVAILABLE', retryable: true };
    expect(await response.json()).toEqual({
      errors: [{ message: expect.stringMatching(/took too long/), extensions }],
    });
  }
  const again = await send('{ articles { totalCount } }');
  expect(await again.json()).toMatchObject({ data: { articles: { totalCount: 0 } } });
});

test('after the deadline no further mutation of the document starts', async () => {
  const ann = await aUser('ann');
  const create = (name: string) =>
    `${name}: createArticle(input: { title: "${name}", description: "d", body: "b" }) { article { slug } }`;
  const sendAsAnn = (query: string) => send(query, { headers: { authorization: `Token ${ann.token}` } });
  const slugs = async () =>
    (await orm.em.fork().execute('select slug from articles order by id')).map(({ slug }) => slug);
  const response = await whileHeld(() =>
    sendAsAnn(`mutation { ${create('one')} ${create('two')} ${create('three')} }`),
  );
  expect(response.status).toBe(503);
  // The first one was already running. On the embedded database the whole request waited, and none ran.
  const done = inject('template').kind === 'embedded' ? [] : ['one'];
  await expect.poll(slugs).toEqual(done);
  await sendAsAnn(`mutation { ${create('later')} }`);
  expect(await slugs()).toEqual([...done, 'later']);
});

test('a disconnect of the client cancels its statements', async () => {
  await whileHeld(async (waiting) => {
    const client = new AbortController();
    const response = send('{ articles { totalCount } }', { signal: client.signal });
    setTimeout(() => client.abort(), 200);
    await expect(response).rejects.toThrow(/aborted/);
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 500); // before the deadline
  });
  expect((await send('{ articles { totalCount } }')).status).toBe(200);
});

test('fields beside a rejected field run no statement', async () => {
  const sent = await statementsDuring(async () => {
    expect((await send('{ articles(first: 1000) { nodes { id } } tags { totalCount } }')).status).toBe(200);
  });
  expect(sent).toEqual([]);
});

test('statements that still run after the response are cancelled', async () => {
  const ann = await aUser('ann');
  // The session is verified with the first fields; articles are read by the next statement, which waits.
  const quick = ['a', 'b', 'c', 'd'].map((name) => `${name}: tags(first: 1) { nodes { id } }`).join(' ');
  const query = `{ bad: tags(first: 1000) { nodes { id } } ${quick} article(by: { slug: "a" }) { id } }`;
  await whileHeld(async (waiting) => {
    const response = await send(query, { headers: { authorization: `Token ${ann.token}` } });
    expect(await response.json()).toMatchObject({ errors: [{ message: expect.any(String) }] });
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 500);
  }, 'articles');
});
