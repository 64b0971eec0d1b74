import { pino } from 'pino';
import { afterAll, expect, inject, test, vi } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { orm, settings } from '../../support/blog.ts';
import { aUser } from '../../support/people.ts';
import { statementsDuring } from '../../support/statements.ts';

/** Requests that take too long, because somebody else holds what they need. */

const hurried = await buildServer({
  em: orm.em,
  log: pino({ level: 'silent' }),
  settings: { ...settings, requestTimeoutSeconds: 1 },
  readiness: new Readiness(orm, null, 'not checked'),
});
const address = await hurried.listen({ port: 0, host: '127.0.0.1' });
afterAll(() => hurried.close());

const ask = (query: string, more: RequestInit = {}) =>
  fetch(`${address}/graphql`, {
    method: 'POST',
    body: JSON.stringify({ query }),
    ...more,
    headers: { 'content-type': 'application/json', ...more.headers },
  });

/** While it lasts, whatever reads articles or users waits; `waiting` says how many do. */
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

test('a query that takes too long is given up, and its statements with it', async () => {
  const answers = await whileHeld(async (waiting) => {
    const five = await Promise.all([1, 2, 3, 4, 5].map(() => ask('{ articles { totalCount } }')));
    await vi.waitFor(async () => expect(await waiting()).toBe(0));
    return five;
  });
  for (const answer of answers) {
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    const extensions = { code: 'SERVICE_UNAVAILABLE', retryable: true };
    expect(await answer.json()).toEqual({ errors: [{ message: expect.stringMatching(/took too long/), extensions }] });
  }
  const again = await ask('{ articles { totalCount } }');
  expect(await again.json()).toMatchObject({ data: { articles: { totalCount: 0 } } });
});

test('after the deadline no further mutation of the document begins', async () => {
  const ann = await aUser('ann');
  const create = (name: string) =>
    `${name}: createArticle(input: { title: "${name}", description: "d", body: "b" }) { article { slug } }`;
  const askAsAnn = (query: string) => ask(query, { headers: { authorization: `Token ${ann.token}` } });
  const slugs = async () =>
    (await orm.em.fork().execute('select slug from articles order by id')).map(({ slug }) => slug);
  const answer = await whileHeld(() => askAsAnn(`mutation { ${create('one')} ${create('two')} ${create('three')} }`));
  expect(answer.status).toBe(503);
  // The first was on its way, and is done. The embedded database had the whole request wait, and none was.
  const begun = inject('template').kind === 'embedded' ? [] : ['one'];
  await expect.poll(slugs).toEqual(begun);
  await askAsAnn(`mutation { ${create('later')} }`);
  expect(await slugs()).toEqual([...begun, 'later']);
});

test('who does not wait for the answer frees the database of the question', async () => {
  await whileHeld(async (waiting) => {
    const client = new AbortController();
    const answer = ask('{ articles { totalCount } }', { signal: client.signal });
    setTimeout(() => client.abort(), 200);
    await expect(answer).rejects.toThrow(/aborted/);
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 500); // before the deadline would end it
  });
  expect((await ask('{ articles { totalCount } }')).status).toBe(200);
});

test('what is asked for beside a field that is refused is not even looked for', async () => {
  const sent = await statementsDuring(async () => {
    expect((await ask('{ articles(first: 1000) { nodes { id } } tags { totalCount } }')).status).toBe(200);
  });
  expect(sent).toEqual([]);
});

test('once the answer is known, what still runs for it is ended', async () => {
  const ann = await aUser('ann');
  // Who asks is looked up with the first fields; articles come in the next statement, and have to wait.
  const quick = ['a', 'b', 'c', 'd'].map((name) => `${name}: tags(first: 1) { nodes { id } }`).join(' ');
  const query = `{ bad: tags(first: 1000) { nodes { id } } ${quick} article(by: { slug: "a" }) { id } }`;
  await whileHeld(async (waiting) => {
    const answer = await ask(query, { headers: { authorization: `Token ${ann.token}` } });
    expect(await answer.json()).toMatchObject({ errors: [{ message: expect.any(String) }] });
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 500);
  }, 'articles');
});
