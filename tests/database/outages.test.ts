import { MikroORM } from '@mikro-orm/postgresql';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ormConfig } from '../../mikro-orm.config.ts';
import { monitor } from '../../src/database/open-database.ts';
import { ServerPool } from '../../src/database/server-pool.ts';
import { readPostgresUrl } from '../../src/environment.ts';
import { PreparedStatements } from '../../src/reading/prepared-statements.ts';
import { sql } from '../../src/reading/sql.ts';
import { Readiness } from '../../src/server/http/health.ts';
import { buildServer } from '../../src/server/server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { anArticle, aUser, type Person } from '../support/test-data.ts';
import { type GraphQLResponse, orm, settings } from '../support/test-server.ts';

/** Runs the server with a TCP proxy in front of its database, to simulate network failures. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const TITLES = '{ articles { nodes { title } } }';

describe('a connection that breaks', () => {
  test('during a read: the read is retried on another connection', async () => {
    await anArticle({ title: 'Good' });
    const { proxy, ask } = await serverThroughProxy({ watched: false });
    proxy.cutOnNext(/from "articles"/);
    expect(await ask(TITLES)).toMatchObject({
      status: 200,
      body: { data: { articles: { nodes: [{ title: 'Good' }] } } },
    });
    expect(proxy.isToCut).toBe(false);
  });

  test('during authentication: the read of the session is retried too', async () => {
    const ann = await aUser('ann');
    const { proxy, ask } = await serverThroughProxy({ watched: false });
    proxy.cutOnNext(/from sessions/);
    expect((await ask('{ viewer { email } }', ann)).body).toMatchObject({ data: { viewer: { email: ann.email } } });
    expect(proxy.isToCut).toBe(false);
  });

  test('during a read and its retry: SERVICE_UNAVAILABLE until the database is back', async () => {
    const { proxy, ask } = await serverThroughProxy({ watched: false });
    await ask(TITLES);
    proxy.refuse();
    expect(await ask(TITLES)).toMatchObject(UNAVAILABLE);
    proxy.open();
    await expect.poll(async () => (await ask(TITLES)).status).toBe(200);
  });

  test('during the authentication of a mutation and its retry: SERVICE_UNAVAILABLE, and nothing is written', async () => {
    const ann = await aUser('ann');
    const { proxy, ask } = await serverThroughProxy({ watched: false });
    await ask(TITLES, ann);
    proxy.refuse();
    expect(await ask(createArticle('Not yet'), ann)).toMatchObject(UNAVAILABLE);
    proxy.open();
    expect(await titles()).toEqual([]);
    await expect.poll(async () => (await ask(createArticle('Now'), ann)).status).toBe(200);
    expect(await titles()).toEqual(['Now']);
  });

  test('during a commit: SERVICE_UNAVAILABLE without a retry, since only the client can decide to send it again', async () => {
    const ann = await aUser('ann');
    const { proxy, ask } = await serverThroughProxy({ watched: false });
    proxy.cutOnNext(/\bcommit\b/);
    const response = await ask(createArticle('Once'), ann);
    expect(response).toMatchObject({ ...UNAVAILABLE, body: { data: { createArticle: null } } });
    expect(await titles()).toEqual([]);
  });

  test('during the only statement of a mutation: nothing is written, and the client may send it again', async () => {
    const ann = await aUser('ann');
    const { slug } = await anArticle();
    const { proxy, ask } = await serverThroughProxy({ watched: false });
    const addComment = `mutation { addComment(input: { article: { slug: "${slug}" }, body: "b" }) { article { commentsCount } } }`;
    proxy.cutOnNext(/insert into "comments"/);
    expect(await ask(addComment, ann)).toMatchObject({ ...UNAVAILABLE, body: { data: { addComment: null } } });
    const again = await ask(addComment, ann);
    expect(again.body).toMatchObject({ data: { addComment: { article: { commentsCount: 1 } } } });
  });

  // kysely 0.29.6, which MikroORM 7.2.1 depends on, never releases a connection whose begin, commit or rollback failed.
  test('during a transaction: it is removed from the pool and frees its slot', async () => {
    const ann = await aUser('ann');
    const { proxy, pool, ask } = await serverThroughProxy({ poolSize: 3, watched: false });
    for (const statement of [/begin/, /insert into "articles"/, /\bcommit\b/, /rollback/]) {
      for (let time = 0; time < 3; time += 1) {
        proxy.cutOnNext(statement);
        await ask(statement.source === 'rollback' ? createArticle('') : createArticle('Lost'), ann);
      }
    }
    proxy.cutOnNext(/nothing like this/);
    const responses = await Promise.all(Array.from({ length: 9 }, (_, n) => ask(createArticle(`Kept ${n}`), ann)));
    expect(responses.map(({ status, body }) => [status, body.errors])).toEqual(responses.map(() => [200, undefined]));
    expect(pool.counts).toMatchObject({ waiting: 0 });
    expect(pool.counts.idle).toBe(pool.counts.total);
  });
});

describe('a database that stops responding', () => {
  test('makes the server unready; waiting requests fail, and new ones fail at once', async () => {
    const { proxy, pool, ask, ready } = await serverThroughProxy();
    await expect.poll(ready).toBe(200);
    await ask(TITLES);
    proxy.silence();
    const waiting = ask(TITLES);
    await expect.poll(ready, { timeout: 10_000 }).toBe(503);
    const made = proxy.made;
    expect(await ask(TITLES)).toMatchObject(UNAVAILABLE);
    expect(await waiting).toMatchObject(UNAVAILABLE);
    expect(proxy.made).toBeLessThanOrEqual(made + 3); // only the heartbeat keeps reconnecting
    proxy.open();
    await expect.poll(ready, { timeout: 10_000 }).toBe(200);
    expect((await ask(TITLES)).status).toBe(200);
    expect(pool.counts.waiting).toBe(0);
  });

  test('while the heartbeat reconnects: waiting requests fail too', async () => {
    const { proxy, ask, ready } = await serverThroughProxy();
    await expect.poll(ready).toBe(200);
    await ask(TITLES);
    proxy.cutOnNext(/pg_is_in_recovery/, () => proxy.silence());
    await expect.poll(() => proxy.isToCut).toBe(false);
    const made = proxy.made;
    expect(await ask(TITLES)).toMatchObject(UNAVAILABLE);
    expect(proxy.made).toBeLessThanOrEqual(made + 3); // only the heartbeat keeps reconnecting
  });

  test('on one connection: only that one is closed, and no other request waits for it', async () => {
    const pool = new ServerPool(1);
    const { clientUrl } = await startProxy();
    const own = await connectWith(pool, clientUrl, { query_timeout: 200 });
    await expect(own.em.fork().execute('select pg_sleep(1)')).rejects.toThrow('Query read timeout');
    await expect.poll(() => pool.counts.total).toBe(0);
    const next = () => own.em.fork().execute('select 1 as one').catch(String);
    await expect.poll(next, { timeout: 10_000 }).toEqual([{ one: 1 }]);
  });
});

test('a read that took too long is not tried again', async () => {
  const pool = new ServerPool(1);
  const own = await connectWith(pool, (await startProxy()).clientUrl, { statement_timeout: 200 });
  const sent: string[] = [];
  pool.onStatement = (text) => sent.push(text);
  await expect(new PreparedStatements(own.em).rows(sql`select pg_sleep(5)`)).rejects.toMatchObject({ code: '57014' });
  expect(sent.filter((text) => text.includes('pg_sleep'))).toHaveLength(1);
});

test('a connection on which a write failed because it is read-only, as to a standby, is closed', async () => {
  const pool = new ServerPool(1);
  const own = await connectWith(pool, (await startProxy()).clientUrl);
  await own.em.fork().execute('set default_transaction_read_only = on');
  const write = () => own.em.fork().execute(`insert into tags (name, name_key) values ('kept', 'kept')`);
  await expect(write()).rejects.toMatchObject({ code: '25006' });
  await expect.poll(() => pool.counts.total).toBe(0);
  await write();
});

test('onStatement reports the text of every statement, also of a prepared one', async () => {
  const pool = new ServerPool(1);
  const own = await connectWith(pool, (await startProxy()).clientUrl);
  const seen: string[] = [];
  pool.onStatement = (text) => seen.push(text);
  await own.em.fork().execute('select 1 as one');
  await new PreparedStatements(own.em).rows(sql`select 2 as two`);
  expect(seen.filter((text) => /one|two/.test(text))).toEqual(['select 1 as one', 'select 2 as two']);
});

describe('a server that starts before its database', () => {
  test('is unready and says why, until the database is available', async () => {
    const { proxy, ask, ready } = await serverThroughProxy({ from: (proxy) => proxy.refuse() });
    await expect.poll(async () => (await ask(TITLES)).body.errors?.[0]?.message).toBe('The database does not answer.');
    expect(await ready()).toBe(503);
    proxy.open();
    await expect.poll(ready).toBe(200);
    expect((await ask(TITLES)).status).toBe(200);
  });
});

describe('the heartbeat', () => {
  test('reconnects after losing its own connection, without reporting the database as lost', async () => {
    const { proxy, heartbeat } = await serverThroughProxy();
    await expect.poll(() => heartbeat.health().isReady).toBe(true);
    const lost = vi.fn();
    const watching = setInterval(() => heartbeat.health().isLost && lost(), 1);
    const made = proxy.made;
    proxy.cut();
    await expect.poll(() => proxy.made).toBeGreaterThan(made);
    await expect.poll(() => heartbeat.health().isReady).toBe(true);
    clearInterval(watching);
    expect(lost).not.toHaveBeenCalled();
  });

  test('reports a standby, and when it is promoted', async () => {
    const { clientUrl } = await startProxy();
    const em = orm.em.fork();
    const pretend = (isStandby: boolean) =>
      em.execute(`create or replace function pretended.pg_is_in_recovery() returns bool return ${isStandby}`);
    await em.execute('create schema pretended');
    closing.push(() => em.execute('drop schema pretended cascade'));
    await pretend(true);
    const log: string[] = [];
    const url = `${clientUrl}?options=-c%20search_path%3Dpretended,pg_catalog`;
    const heartbeat = monitor(new ServerPool(1), readPostgresUrl(url), (line) => log.push(line));
    closing.push(() => heartbeat.close());
    await expect.poll(() => heartbeat.health().fault).toBe('The database is a standby, which cannot be written.');
    expect(heartbeat.health()).toMatchObject({ isReady: false, isLost: true });
    await pretend(false);
    await expect.poll(() => heartbeat.health().isReady, { timeout: 5_000 }).toBe(true);
    expect(log).toEqual(['The database is a standby, which cannot be written.', 'The database answers.']);
  });

  test('does not report the database as lost because this process was busy while it connected', async () => {
    const { clientUrl } = await startProxy();
    const log: string[] = [];
    const heartbeat = monitor(new ServerPool(1), readPostgresUrl(clientUrl), (line) => log.push(line));
    closing.push(() => heartbeat.close());
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500); // as a server that loads its modules
    await expect.poll(() => log).not.toEqual([]);
    expect(log).toEqual(['The database answers.']);
  });
});

const UNAVAILABLE = {
  status: 503,
  retryAfter: '1',
  body: { errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } }] },
};

/** With a key, so that it takes a transaction of several messages. */
const createArticle = (title: string) =>
  `mutation { createArticle(input: { title: "${title}", description: "d", body: "b", tagList: ["a"], idempotencyKey: "create ${title}" }) { article { title } errors { code } } }`;

const titles = async () => (await orm.em.fork().execute('select title from articles')).map(({ title }) => title);

/** The real server on this file's database, through a proxy of its own. */
async function serverThroughProxy({ poolSize = 5, watched = true, from = (_line: TcpProxy) => {} } = {}) {
  const { proxy, clientUrl } = await startProxy();
  from(proxy);
  const pool = new ServerPool(poolSize);
  const heartbeat = monitor(pool, readPostgresUrl(clientUrl), () => {});
  closing.push(() => heartbeat.close());
  const own = await connectWith(pool, clientUrl);
  const readiness = new Readiness(own, watched ? heartbeat : null, 'not checked');
  const server = await buildServer({ em: own.em, log: pino({ level: 'silent' }), settings, readiness });
  closing.push(() => server.close());
  const ask = async (query: string, as?: Person) => {
    const headers = as ? { authorization: `Token ${as.token}` } : {};
    const response = await server.inject({ method: 'POST', url: '/graphql', headers, payload: { query } });
    return {
      status: response.statusCode,
      retryAfter: response.headers['retry-after'],
      body: response.json() as GraphQLResponse<unknown>,
    };
  };
  return { proxy, pool, heartbeat, ask, ready: async () => (await server.inject('/readyz')).statusCode };
}

async function startProxy(): Promise<{ proxy: TcpProxy; clientUrl: string }> {
  const { host, port, user, password, database } = orm.em.getConnection().getConnectionOptions() as {
    [option: string]: string;
  };
  const proxy = await TcpProxy.to({ host: host as string, port: Number(port) });
  closing.push(() => proxy.close());
  const url = new URL(`postgresql://127.0.0.1:${proxy.port}/${database}`);
  return { proxy, clientUrl: Object.assign(url, { username: user, password: password ?? '' }).href };
}

async function connectWith(pool: ServerPool, clientUrl: string, limits = {}): Promise<MikroORM> {
  const driverOptions = { ...pool.driverOptions, ...limits };
  const own = await MikroORM.init(ormConfig({ connection: { clientUrl, driverOptions } }));
  closing.push(() => own.close(true));
  return own;
}
