import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterAll, describe, expect, test } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { address, orm, settings } from '../../support/test-server.ts';

const open: { close(): unknown }[] = [];
afterAll(async () => {
  for (const one of open) await one.close();
});

async function serverWith(changes: Partial<typeof settings>, log = pino({ level: 'silent' })) {
  const server = await buildServer({
    em: orm.em,
    log,
    settings: { ...settings, ...changes },
    readiness: new Readiness(orm, null, 'not checked'),
  });
  open.push(server);
  return server;
}

/** Sends the text on a new connection; `closed` is everything received until it closes. */
function connection(to: string, text: string) {
  const socket: Socket = connect(Number(new URL(to).port), '127.0.0.1', () => socket.write(text));
  open.push({ close: () => socket.destroy() });
  let received = '';
  socket.on('data', (bytes) => {
    received += bytes;
  });
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(received)));
  return { socket, closed };
}

const QUERY = JSON.stringify({ query: '{ articles { totalCount } }' });
const head = (length: number) =>
  `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

describe('a page of another site cannot execute anything without a preflight:', () => {
  const mutation = 'mutation { logout { ok } }';
  test.each<[what: string, method: string, type: string | undefined, body?: string]>([
    ['a form', 'POST', 'application/x-www-form-urlencoded', `query=${encodeURIComponent(mutation)}`],
    [
      'a form with files',
      'POST',
      'multipart/form-data; boundary=x',
      `--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n${mutation}\r\n--x--`,
    ],
    ['text', 'POST', 'text/plain', QUERY],
    ['text labelled as JSON', 'POST', 'text/plain; application/json', QUERY],
    ['text in capitals', 'POST', 'TEXT/PLAIN;charset=utf-8', QUERY],
    ['no type', 'POST', '', QUERY],
    ['an invalid type', 'POST', 'application/json/x', QUERY],
    ['two types', 'POST', 'text/plain, application/json', QUERY],
    ['the type application/graphql', 'POST', 'application/graphql', '{ __typename }'],
    ['a link', 'GET', undefined],
    ['a link with a type', 'GET', 'text/plain'],
    ['a link with a message type', 'GET', 'message/rfc822'],
    ['a link with an invalid type', 'GET', 'x'],
  ])('%s', async (_, method, type, body) => {
    const url = `${address}/graphql${body === undefined ? `?query=${encodeURIComponent('{ __typename }')}` : ''}`;
    const headers = type === undefined ? {} : { 'content-type': type };
    const response = await fetch(url, { method, headers, ...(body !== undefined && { body: Buffer.from(body) }) });
    expect([400, 415]).toContain(response.status);
    const { data, errors } = (await response.json()) as { data?: unknown; errors: { extensions: object }[] };
    expect(data).toBeUndefined();
    expect(errors[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT' });
  });

  test('a preflight only succeeds for listed origins', async () => {
    const preflight = async (origin: string) => {
      const headers = { origin, 'access-control-request-method': 'POST' };
      return (await fetch(`${address}/graphql`, { method: 'OPTIONS', headers })).headers.get(
        'access-control-allow-origin',
      );
    };
    expect(await preflight('https://blog.example')).toBe('https://blog.example');
    for (const other of ['https://evil.example', 'https://blog.example.evil.example', 'http://blog.example', 'null']) {
      expect(await preflight(other), other).toBeNull();
    }
  });
});

describe('a body in', () => {
  const send = (encoding: string, body: string | Buffer<ArrayBuffer>) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
    return fetch(`${address}/graphql`, { method: 'POST', headers, body });
  };

  test.each(['gzip', 'br', 'deflate', 'zstd', 'gzip, identity', 'x'])(
    '%s is rejected at any size',
    async (encoding) => {
      for (const body of [Buffer.from('1f8b0800', 'hex'), QUERY]) {
        const response = await send(encoding, body);
        expect(response.status).toBe(415);
        expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
      }
    },
  );

  test('the identity encoding is accepted', async () => {
    for (const encoding of ['identity', 'Identity', '']) expect((await send(encoding, QUERY)).status).toBe(200);
  });
});

test('a body that is not UTF-8 is rejected', async () => {
  const send = async (...bytes: number[]) => {
    const [before, after] = JSON.stringify({ query: '{ articles(filter: { tag: "?" }) { totalCount } }' }).split('?');
    const body = Buffer.concat([Buffer.from(before ?? ''), Buffer.from(bytes), Buffer.from(after ?? '')]);
    return fetch(`${address}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  };
  expect((await send(0xc3, 0xa9)).status).toBe(200); // é
  for (const bytes of [[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80]]) {
    const response = await send(...bytes);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  }
});

test('responses forbid browsers to run, frame or sniff them', async () => {
  for (const path of ['/healthz', '/schema.graphql', '/nothing', '/graphql?query={__typename}']) {
    const { headers } = await fetch(`${address}${path}`, { headers: { 'apollo-require-preflight': 'yes' } });
    expect(headers.get('content-security-policy'), path).toBe(
      "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
    );
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('referrer-policy'), path).toBe('no-referrer');
    expect(headers.get('x-frame-options'), path).toBe('SAMEORIGIN');
    expect(headers.get('strict-transport-security'), path).toBeNull();
    expect(headers.get('x-powered-by'), path).toBeNull();
  }
  const production = await serverWith({ production: true });
  expect((await production.inject('/healthz')).headers['strict-transport-security']).toBe('max-age=31536000');
});

test('only the Playground may run scripts', async () => {
  const { headers } = await fetch(`${address}/playground`);
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'nonce-[^']+';/);
});

test('headers over the size limit are rejected', async () => {
  const { closed } = connection(address, `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
  expect(await closed).toMatch(/^HTTP\/1\.1 431 /);
});

test('conflicting body lengths are rejected', async () => {
  const smuggled = head(5).replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n');
  const { closed } = connection(address, `${smuggled}0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
  const received = await closed;
  expect(received).toMatch(/^HTTP\/1\.1 400 /);
  expect(received).not.toContain('"ok"');
});

test('two Host headers are rejected on every path', async () => {
  for (const [path, second] of [
    ['/graphql', 'Host: x'],
    ['/graphql', 'hOST: y'],
    ['/healthz', 'Host: y'],
    ['/nothing', 'Host: y'],
  ]) {
    const { closed } = connection(address, `GET ${path} HTTP/1.1\r\nHost: x\r\n${second}\r\nConnection: close\r\n\r\n`);
    const received = await closed;
    expect(received, path).toMatch(/^HTTP\/1.1 400 /);
    expect(received, path).toContain(
      '"message":"There are 2 Host headers; there must be one.","extensions":{"code":"BAD_USER_INPUT"}',
    );
  }
});

test('TRACE does not echo the request', async () => {
  const { closed } = connection(
    address,
    'TRACE /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Mine: mine\r\n\r\n',
  );
  const received = await closed;
  expect(received).toMatch(/^HTTP\/1\.1 40[045] /);
  expect(received).not.toContain('mine');
});

test('slow senders are disconnected without delaying others', async () => {
  const slow = [
    connection(address, 'POST /graphql HTTP/1.1\r\nHost: x\r\nX-'),
    connection(address, `${head(QUERY.length)}${QUERY.slice(0, 5)}`),
  ];
  const trickle = setInterval(() => slow.map(({ socket }) => socket.writable && socket.write('a')), 1000);
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: QUERY,
  });
  expect(response.status).toBe(200);
  for (const { closed } of slow) expect(await closed).toMatch(/^(HTTP\/1\.1 408 |$)/);
  clearInterval(trickle);
});

test('connections over the limit are closed until others end', async () => {
  const server = await serverWith({ maxConnections: 2 });
  const at = await server.listen({ port: 0, host: '127.0.0.1' });
  const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n';
  const received = ({ socket }: { socket: Socket }) => new Promise((resolve) => socket.once('data', resolve));
  const clients = [connection(at, request), connection(at, request)];
  await Promise.all(clients.map(received));
  expect(await connection(at, request).closed).toBe('');
  clients[0]?.socket.destroy();
  await clients[0]?.closed;
  await expect.poll(() => connection(at, request.replace('keep-alive', 'close')).closed).toMatch(/^HTTP\/1\.1 200 /);
});

test('the client address is that of the peer, unless it is a trusted proxy', async () => {
  const addressSeen = async (trustProxy: string[], remoteAddress: string) => {
    const server = await serverWith({ trustProxy });
    let seen = '';
    server.addHook('onRequest', async ({ ip }) => {
      seen = ip;
    });
    const headers = { 'x-forwarded-for': '6.6.6.6, 9.9.9.9' };
    await server.inject({ url: '/healthz', headers, remoteAddress });
    return seen;
  };
  expect(await addressSeen([], '10.0.0.1')).toBe('10.0.0.1');
  expect(await addressSeen(['10.0.0.0/8'], '10.0.0.1')).toBe('9.9.9.9');
  expect(await addressSeen(['10.0.0.0/8'], '11.0.0.1')).toBe('11.0.0.1');
  expect(await addressSeen(['10.0.0.0/8', '9.9.9.9'], '10.0.0.1')).toBe('6.6.6.6');
});

test.each<[what: string, trustProxy: string[], headers: Record<string, string>, warnings: number]>([
  ['from a peer that TRUST_PROXY does not name is warned of once', ['10.0.0.0/8'], { 'x-forwarded-for': '9.9.9.9' }, 1],
  ['is warned of without TRUST_PROXY', [], { 'x-forwarded-for': '9.9.9.9' }, 1],
  ['from a proxy that TRUST_PROXY names is not warned of', ['192.0.2.0/24'], { 'x-forwarded-for': '9.9.9.9' }, 0],
  ['that is missing is not warned of', [], {}, 0],
])('X-Forwarded-For %s', async (_, trustProxy, headers, warnings) => {
  const lines: string[] = [];
  const server = await serverWith(
    { trustProxy },
    pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }),
  );
  for (const host of [1, 2]) await server.inject({ url: '/healthz', headers, remoteAddress: `192.0.2.${host}` });
  expect(lines.filter((line) => /TRUST_PROXY does not name 192\.0\.2\.1/.test(line))).toHaveLength(warnings);
  expect(lines).toHaveLength(warnings);
});

describe('pages and apps of this machine, which may call a server in development', () => {
  const allowedOf = async (origin: string) => {
    const development = await serverWith({ allowedOrigins: 'this machine' as never });
    const { headers } = await development.inject({ url: '/healthz', headers: { origin } });
    return headers['access-control-allow-origin'];
  };

  test.each([
    'http://localhost',
    'http://localhost:5173',
    'https://localhost',
    'http://blog.localhost:3000',
    'https://a.b-c.localhost',
    'http://my_app.localhost:3000',
    'http://127.0.0.1:8080',
    'http://[::1]:3000',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'http://tauri.localhost',
  ])('include %s', async (origin) => {
    expect(await allowedOf(origin)).toBe(origin);
  });

  test.each([
    'null',
    'http://localhost.evil.example',
    'http://evil-localhost',
    'http://blog.localhost.evil.example:3000',
    'http://.localhost',
    'http://localhost:3000.evil.example',
    'capacitor://evil.example',
    'file://',
    'http://evil.example/.localhost',
  ])('do not include %s', async (origin) => {
    expect(await allowedOf(origin)).toBeUndefined();
  });
});
