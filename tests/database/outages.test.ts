import { MikroORM } from '@mikro-orm/postgresql';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ormConfig } from '../../mikro-orm.config.ts';
import { Heartbeat } from '../../src/database/heartbeat.ts';
import { ServerPool } from '../../src/database/server-pool.ts';
import { PreparedStatements } from '../../src/reading/prepared-statements.ts';
import { sql } from '../../src/reading/sql.ts';
import { Readiness } from '../../src/server/http/health.ts';
import { buildServer } from '../../src/server/server.ts';
import { type Answer, orm, settings } from '../support/blog.ts';
import { anArticle, aUser, type Person } from '../support/people.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** A server whose database is reached over a line that breaks. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const TITLES = '{ articles { nodes { title } } }';

describe('a connection that breaks', () => {
  test('under a read is not noticed: it is read again on another one', async () => {
    await anArticle({ title: 'Good' });
    const { line, ask } = await serverOverALine({ watched: false });
    line.cutOnNext(/from "articles"/);
    expect(await ask(TITLES)).toMatchObject({
      status: 200,
      body: { data: { articles: { nodes: [{ title: 'Good' }] } } },
    });
    expect(line.isToCut).toBe(false);
  });

  test('while somebody is recognised is not noticed either', async () => {
    const ann = await aUser('ann');
    const { line, ask } = await serverOverALine({ watched: false });
    line.cutOnNext(/from "sessions"/);
    expect((await ask('{ viewer { email } }', ann)).body).toMatchObject({ data: { viewer: { email: ann.email } } });
    expect(line.isToCut).toBe(false);
  });

  test('under a read twice is a fault that passes', async () => {
    const { line, ask } = await serverOverALine({ watched: false });
    await ask(TITLES);
    line.refuse();
    expect(await ask(TITLES)).toMatchObject(UNAVAILABLE);
    line.open();
    await expect.poll(async () => (await ask(TITLES)).status).toBe(200);
  });

  test('while somebody is recognised who wants to change something, twice, is a fault that passes', async () => {
    const ann = await aUser('ann');
    const { line, ask } = await serverOverALine({ watched: false });
    await ask(TITLES, ann);
    line.refuse();
    expect(await ask(createArticle('Not yet'), ann)).toMatchObject(UNAVAILABLE);
    line.open();
    expect(await titles()).toEqual([]);
    await expect.poll(async () => (await ask(createArticle('Now'), ann)).status).toBe(200);
    expect(await titles()).toEqual(['Now']);
  });

  test('under a mutation leaves it to whoever sent it: nobody else knows whether it was done', async () => {
    const ann = await aUser('ann');
    const { line, ask } = await serverOverALine({ watched: false });
    line.cutOnNext(/commit/);
    const answer = await ask(createArticle('Once'), ann);
    expect(answer).toMatchObject({ ...UNAVAILABLE, body: { data: { createArticle: null } } });
    expect(await titles()).toEqual([]);
  });

  test('under the one statement of a mutation leaves nothing, and the mutation may be sent again', async () => {
    const ann = await aUser('ann');
    const { slug } = await anArticle();
    const { line, ask } = await serverOverALine({ watched: false });
    const addComment = `mutation { addComment(input: { article: { slug: "${slug}" }, body: "b" }) { article { commentsCount } } }`;
    line.cutOnNext(/insert into "comments"/);
    expect(await ask(addComment, ann)).toMatchObject({ ...UNAVAILABLE, body: { data: { addComment: null } } });
    const again = await ask(addComment, ann);
    expect(again.body).toMatchObject({ data: { addComment: { article: { commentsCount: 1 } } } });
  });

  // kysely 0.29.6, which MikroORM 7.2.1 asks for, never gives a connection back whose begin, commit or rollback failed.
  test('in the midst of a transaction goes out of the pool, and does not take its place for ever', async () => {
    const ann = await aUser('ann');
    const { line, pool, ask } = await serverOverALine({ poolSize: 3, watched: false });
    for (const statement of [/begin/, /insert into "articles"/, /commit/, /rollback/]) {
      for (let time = 0; time < 3; time += 1) {
        line.cutOnNext(statement);
        await ask(statement.source === 'rollback' ? createArticle('') : createArticle('Lost'), ann);
      }
    }
    line.cutOnNext(/nothing like this/);
    const answers = await Promise.all(Array.from({ length: 9 }, (_, n) => ask(createArticle(`Kept ${n}`), ann)));
    expect(answers.map(({ status, body }) => [status, body.errors])).toEqual(answers.map(() => [200, undefined]));
    expect(pool.counts).toMatchObject({ waiting: 0 });
    expect(pool.counts.idle).toBe(pool.counts.total);
  });
});

describe('a database that falls silent', () => {
  test('makes the server unready; who waited gets an answer, and who comes gets one at once', async () => {
    const { line, pool, ask, ready } = await serverOverALine();
    await ask(TITLES);
    line.silence();
    const waited = ask(TITLES);
    await expect.poll(ready, { timeout: 10_000 }).toBe(503);
    const made = line.made;
    expect(await ask(TITLES)).toMatchObject(UNAVAILABLE);
    expect(await waited).toMatchObject(UNAVAILABLE);
    expect(line.made).toBeLessThanOrEqual(made + 3); // the heartbeat alone goes on trying
    line.open();
    await expect.poll(ready, { timeout: 10_000 }).toBe(200);
    expect((await ask(TITLES)).status).toBe(200);
    expect(pool.counts.waiting).toBe(0);
  });

  test('on one connection alone costs that one, and nobody waits behind it', async () => {
    const pool = new ServerPool(1);
    const { clientUrl } = await aLine();
    const own = await overPool(pool, clientUrl, { query_timeout: 200 });
    await expect(own.em.fork().execute('select pg_sleep(1)')).rejects.toThrow('Query read timeout');
    await expect.poll(() => pool.counts.total).toBe(0);
    const next = () => own.em.fork().execute('select 1 as one').catch(String);
    await expect.poll(next, { timeout: 10_000 }).toEqual([{ one: 1 }]);
  });
});

test('what a pool sends is told by its text, also when it goes by a name', async () => {
  const pool = new ServerPool(1);
  const own = await overPool(pool, (await aLine()).clientUrl);
  const told: string[] = [];
  pool.onStatement = (text) => told.push(text);
  await own.em.fork().execute('select 1 as one');
  await new PreparedStatements(own.em).rows(sql`select 2 as two`);
  expect(told.filter((text) => /one|two/.test(text))).toEqual(['select 1 as one', 'select 2 as two']);
});

describe('a server that starts before its database', () => {
  test('is unready, says why, and is ready when it arrives', async () => {
    const { line, ask, ready } = await serverOverALine({ from: (line) => line.refuse() });
    await expect.poll(async () => (await ask(TITLES)).body.errors?.[0]?.message).toBe('The database does not answer.');
    expect(await ready()).toBe(503);
    line.open();
    await expect.poll(ready).toBe(200);
    expect((await ask(TITLES)).status).toBe(200);
  });
});

describe('the heartbeat', () => {
  test('takes a lost connection of its own for nothing more than that', async () => {
    const { line, heartbeat } = await serverOverALine();
    await expect.poll(() => heartbeat.health().isReady).toBe(true);
    const lost = vi.fn();
    const watching = setInterval(() => heartbeat.health().isLost && lost(), 1);
    const made = line.made;
    line.cut();
    await expect.poll(() => line.made).toBeGreaterThan(made);
    await expect.poll(() => heartbeat.health().isReady).toBe(true);
    clearInterval(watching);
    expect(lost).not.toHaveBeenCalled();
  });
});

const UNAVAILABLE = {
  status: 503,
  retryAfter: '1',
  body: { errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } }] },
};

const createArticle = (title: string) =>
  `mutation { createArticle(input: { title: "${title}", description: "d", body: "b", tagList: ["a"] }) { article { title } errors { code } } }`;

const titles = async () => (await orm.em.fork().execute('select title from articles')).map(({ title }) => title);

/** The real server on this file's database, over a line of its own. */
async function serverOverALine({ poolSize = 5, watched = true, from = (_line: TcpProxy) => {} } = {}) {
  const { line, clientUrl } = await aLine();
  from(line);
  const pool = new ServerPool(poolSize);
  const heartbeat = new Heartbeat(clientUrl, { onTimeout: () => pool.destroyConnections(), log: () => {} });
  closing.push(() => heartbeat.close());
  const own = await overPool(pool, clientUrl);
  const readiness = new Readiness(own, watched ? heartbeat : null, 'not checked');
  const server = await buildServer({ em: own.em, log: pino({ level: 'silent' }), settings, readiness });
  closing.push(() => server.close());
  const ask = async (query: string, as?: Person) => {
    const headers = as ? { authorization: `Token ${as.token}` } : {};
    const answer = await server.inject({ method: 'POST', url: '/graphql', headers, payload: { query } });
    return {
      status: answer.statusCode,
      retryAfter: answer.headers['retry-after'],
      body: answer.json() as Answer<unknown>,
    };
  };
  return { line, pool, heartbeat, ask, ready: async () => (await server.inject('/readyz')).statusCode };
}

async function aLine(): Promise<{ line: TcpProxy; clientUrl: string }> {
  const { host, port, user, password, database } = orm.em.getConnection().getConnectionOptions() as {
    [option: string]: string;
  };
  const line = await TcpProxy.to({ host: host as string, port: Number(port) });
  closing.push(() => line.close());
  const url = new URL(`postgresql://127.0.0.1:${line.port}/${database}`);
  return { line, clientUrl: Object.assign(url, { username: user, password: password ?? '' }).href };
}

async function overPool(pool: ServerPool, clientUrl: string, limits = {}): Promise<MikroORM> {
  const driverOptions = { ...pool.driverOptions, ...limits };
  const own = await MikroORM.init(ormConfig({ connection: { clientUrl, driverOptions } }));
  closing.push(() => own.close(true));
  return own;
}
