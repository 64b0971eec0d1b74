import { Agent, request } from 'node:http';
import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Readiness } from '../../src/server/http/health.ts';
import { LoadShedder } from '../../src/server/http/load-shedding.ts';
import { buildServer } from '../../src/server/server.ts';
import { orm, settings } from '../support/blog.ts';

const servers: FastifyInstance[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const QUERY = '{ articles { totalCount } }';
const ANSWER = { data: { articles: { totalCount: 0 } } };

describe('a server with all the work that it can do', () => {
  test('turns away who comes, says when to come again, and takes who comes when there is room', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 2, maxWaitMilliseconds: 60_000 });
    const { url } = await aServer({ loadShedder });
    const work = held(loadShedder, 2);
    expect(await ask(url)).toMatchObject(TURNED_AWAY);
    expect(loadShedder.shed).toBe(1);
    await work.end();
    expect(await ask(url)).toMatchObject({ status: 200, body: ANSWER });
    expect(loadShedder.inFlight).toBe(0);
  });

  test('gives turns in the order of coming, and turns away whose turn does not come in time', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 1000, maxWaitMilliseconds: 200 });
    const { url } = await aServer({ loadShedder });
    const work = held(loadShedder, 50);
    expect(await ask(url)).toMatchObject(TURNED_AWAY);
    const order: number[] = [];
    const later = [1, 2, 3].map((n) => loadShedder.run(aReply(), async () => void order.push(n)));
    const asked = ask(url);
    await work.end();
    await Promise.all(later);
    expect(order).toEqual([1, 2, 3]);
    expect((await asked).status).toBe(200);
    expect([loadShedder.inFlight, loadShedder.shed]).toEqual([0, 1]);
  });

  test('turns away at once who would wait in vain as turns go, and takes as many as would not', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 1000, maxWaitMilliseconds: 1000 });
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const works = Array.from({ length: 50 }, () => held(loadShedder, 1));
    for (let turn = 1; turn <= 500; turn += 1) {
      works.push(held(loadShedder, 1));
      clock.mockReturnValue(100 * turn);
      await works.shift()?.end();
    }
    clock.mockRestore();
    const more = held(loadShedder, 40);
    expect(loadShedder.inFlight).toBe(50 + 11); // ten turns take a second: who comes then is the last
    await Promise.all(works.map((work) => work.end()));
    await more.end();
    expect([loadShedder.inFlight, loadShedder.shed]).toEqual([0, 29]);
  });

  test('begins nothing for who has left while waiting, and gives the place to the next', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 51, maxWaitMilliseconds: 60_000 });
    const { url } = await aServer({ loadShedder });
    const work = held(loadShedder, 50);
    const left = request(`${url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' } });
    left.on('error', () => {});
    left.end(JSON.stringify({ query: 'mutation { logout { ok } }' }));
    await expect.poll(() => loadShedder.inFlight).toBe(51);
    expect(await ask(url)).toMatchObject(TURNED_AWAY);
    left.destroy();
    await expect.poll(() => loadShedder.inFlight).toBe(50);
    const asked = ask(url);
    await expect.poll(() => loadShedder.inFlight).toBe(51);
    await work.end();
    expect(await asked).toMatchObject({ status: 200, body: ANSWER });
    expect([loadShedder.inFlight, loadShedder.shed]).toEqual([0, 1]); // who has left was not turned away
  });

  test('begins nothing for who has left before', async () => {
    const loadShedder = new LoadShedder(settings);
    const reply = aReply();
    reply.raw.destroy();
    expect(await loadShedder.run(reply, () => expect.fail('It was begun.'))).toBe(reply);
    expect([loadShedder.inFlight, loadShedder.shed]).toEqual([0, 0]);
  });

  test('still says how it is', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 1, maxWaitMilliseconds: 1 });
    const { url } = await aServer({ loadShedder });
    const work = held(loadShedder, 1);
    for (const path of ['/healthz', '/readyz']) expect((await fetch(url + path)).status).toBe(200);
    await work.end();
  });

  test('has room again after a request that failed', async () => {
    const loadShedder = new LoadShedder(settings);
    await expect(loadShedder.run(aReply(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(loadShedder.inFlight).toBe(0);
  });
});

describe('a server that is told to stop', () => {
  test('says so first, and serves on until it was heard', async () => {
    const { url, server } = await aServer({ shutdownDelaySeconds: 0.5 });
    const agent = new Agent({ keepAlive: true });
    expect((await ask(url, agent)).headers.connection).toBe('keep-alive');
    const closed = server.close();
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(503);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
      ready: false,
      fault: 'The server is shutting down.',
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    // Who has a connection is answered on it, and told to come back on another one.
    expect(await ask(url, agent)).toMatchObject({ status: 200, headers: { connection: 'close' }, body: ANSWER });
    await closed;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    agent.destroy();
  });

  test('answers who is in before it goes', async () => {
    const loadShedder = new LoadShedder(settings);
    const { url, server } = await aServer({ loadShedder });
    const em = orm.em.fork();
    await em.begin();
    await em.execute('lock table articles in access exclusive mode');
    const asked = ask(url);
    await expect.poll(() => loadShedder.inFlight).toBe(1);
    const closed = server.close();
    await em.commit();
    expect(await asked).toMatchObject({ status: 200, headers: { connection: 'close' }, body: ANSWER });
    await closed;
  });
});

async function aServer({ loadShedder = new LoadShedder(settings), shutdownDelaySeconds = 0 }) {
  const server = await buildServer({
    em: orm.em,
    log: pino({ level: 'silent' }),
    settings: { ...settings, shutdownDelaySeconds },
    readiness: new Readiness(orm, null, 'not checked'),
    loadShedder,
  });
  servers.push(server);
  return { server, url: await server.listen({ port: 0, host: '127.0.0.1' }) };
}

function aReply(): FastifyReply {
  const same = () => reply;
  const reply = { raw: new PassThrough(), code: same, header: same, type: same, send: same } as unknown as FastifyReply;
  return reply;
}

/** So much work, which takes until it is told to end. */
function held(loadShedder: LoadShedder, times: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const all = Array.from({ length: times }, () => loadShedder.run(aReply(), () => promise));
  return {
    end: async () => {
      resolve();
      await Promise.all(all);
    },
  };
}

const TURNED_AWAY = {
  status: 503,
  headers: { 'retry-after': '1', 'cache-control': 'no-store' },
  body: { errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } }] },
};

function ask(url: string, agent?: Agent): Promise<{ status: number; headers: Record<string, unknown>; body: unknown }> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { 'content-type': 'application/json' }, ...(agent && { agent }) };
    const sent = request(`${url}/graphql`, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) }),
      );
    });
    sent.on('error', reject).end(JSON.stringify({ query: QUERY }));
  });
}
