import { Agent, request } from 'node:http';
import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Readiness } from '../../src/server/http/health.ts';
import { LoadShedder } from '../../src/server/http/load-shedding.ts';
import { buildServer } from '../../src/server/server.ts';
import { orm, settings } from '../support/test-server.ts';

const servers: FastifyInstance[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const QUERY = '{ articles { totalCount } }';
const RESULT = { data: { articles: { totalCount: 0 } } };

describe('a server at its limit', () => {
  test('sheds requests with Retry-After, and accepts them again when there is room', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 2, maxWaitMilliseconds: 60_000 });
    const { url } = await aServer({ loadShedder });
    const work = occupy(loadShedder, 2);
    expect(await send(url)).toMatchObject(SHED);
    expect(loadShedder.shed).toBe(1);
    await work.end();
    expect(await send(url)).toMatchObject({ status: 200, body: RESULT });
    expect(loadShedder.inFlight).toBe(0);
  });

  test('runs queued requests in order, and sheds those that wait too long', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 1000, maxWaitMilliseconds: 200 });
    const { url } = await aServer({ loadShedder });
    const work = occupy(loadShedder, 50);
    expect(await send(url)).toMatchObject(SHED);
    const order: number[] = [];
    const later = [1, 2, 3].map((n) => loadShedder.run(aReply(), async () => void order.push(n)));
    const response = send(url);
    await work.end();
    await Promise.all(later);
    expect(order).toEqual([1, 2, 3]);
    expect((await response).status).toBe(200);
    expect([loadShedder.inFlight, loadShedder.shed]).toEqual([0, 1]);
  });

  test('sheds requests at once whose expected wait is too long, and queues the others', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 1000, maxWaitMilliseconds: 1000 });
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const works = Array.from({ length: 50 }, () => occupy(loadShedder, 1));
    for (let step = 1; step <= 500; step += 1) {
      works.push(occupy(loadShedder, 1));
      clock.mockReturnValue(100 * step);
      await works.shift()?.end();
    }
    clock.mockRestore();
    const more = occupy(loadShedder, 40);
    expect(loadShedder.inFlight).toBe(50 + 11); // ten admissions take a second: the eleventh is the last
    await Promise.all(works.map((work) => work.end()));
    await more.end();
    expect([loadShedder.inFlight, loadShedder.shed]).toEqual([0, 29]);
  });

  test('does not start a request whose client disconnects while queued, and frees its place', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 51, maxWaitMilliseconds: 60_000 });
    const { url } = await aServer({ loadShedder });
    const work = occupy(loadShedder, 50);
    const disconnecting = request(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    disconnecting.on('error', () => {});
    disconnecting.end(JSON.stringify({ query: 'mutation { logout { ok } }' }));
    await expect.poll(() => loadShedder.inFlight).toBe(51);
    expect(await send(url)).toMatchObject(SHED);
    disconnecting.destroy();
    await expect.poll(() => loadShedder.inFlight).toBe(50);
    const response = send(url);
    await expect.poll(() => loadShedder.inFlight).toBe(51);
    await work.end();
    expect(await response).toMatchObject({ status: 200, body: RESULT });
    expect([loadShedder.inFlight, loadShedder.shed]).toEqual([0, 1]); // a disconnect does not count as shed
  });

  test('does not start a request whose client has disconnected', async () => {
    const loadShedder = new LoadShedder(settings);
    const reply = aReply();
    reply.raw.destroy();
    expect(await loadShedder.run(reply, () => expect.fail('The work was started.'))).toBe(reply);
    expect([loadShedder.inFlight, loadShedder.shed]).toEqual([0, 0]);
  });

  test('still serves health checks', async () => {
    const loadShedder = new LoadShedder({ maxInFlight: 1, maxWaitMilliseconds: 1 });
    const { url } = await aServer({ loadShedder });
    const work = occupy(loadShedder, 1);
    for (const path of ['/healthz', '/readyz']) expect((await fetch(url + path)).status).toBe(200);
    await work.end();
  });

  test('has room again after a failed request', async () => {
    const loadShedder = new LoadShedder(settings);
    await expect(loadShedder.run(aReply(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(loadShedder.inFlight).toBe(0);
  });
});

describe('a server that shuts down', () => {
  test('fails /readyz first, and serves requests meanwhile', async () => {
    const { url, server } = await aServer({ shutdownDelaySeconds: 0.5 });
    const agent = new Agent({ keepAlive: true });
    expect((await send(url, agent)).headers.connection).toBe('keep-alive');
    const closed = server.close();
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(503);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
      ready: false,
      fault: 'The server is shutting down.',
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    // Requests on open connections are served, and their connections closed.
    expect(await send(url, agent)).toMatchObject({ status: 200, headers: { connection: 'close' }, body: RESULT });
    await closed;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    agent.destroy();
  });

  test('finishes the requests in progress', async () => {
    const loadShedder = new LoadShedder(settings);
    const { url, server } = await aServer({ loadShedder });
    const em = orm.em.fork();
    await em.begin();
    await em.execute('lock table articles in access exclusive mode');
    const response = send(url);
    await expect.poll(() => loadShedder.inFlight).toBe(1);
    const closed = server.close();
    await em.commit();
    expect(await response).toMatchObject({ status: 200, headers: { connection: 'close' }, body: RESULT });
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

/** Occupies slots until `end` is called. */
function occupy(loadShedder: LoadShedder, times: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const all = Array.from({ length: times }, () => loadShedder.run(aReply(), () => promise));
  return {
    end: async () => {
      resolve();
      await Promise.all(all);
    },
  };
}

const SHED = {
  status: 503,
  headers: { 'retry-after': '1', 'cache-control': 'no-store' },
  body: { errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } }] },
};

function send(
  url: string,
  agent?: Agent,
): Promise<{ status: number; headers: Record<string, unknown>; body: unknown }> {
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
