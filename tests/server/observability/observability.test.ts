import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { LoadShedder } from '../../../src/server/http/load-shedding.ts';
import { createLogger } from '../../../src/server/observability/log.ts';
import { Metrics } from '../../../src/server/observability/metrics.ts';
import { openMetricsPort } from '../../../src/server/observability/metrics-port.ts';
import { Tracing } from '../../../src/server/observability/tracing.ts';
import { buildServer } from '../../../src/server/server.ts';
import { anArticle, aUser, PASSWORD } from '../../support/test-data.ts';
import { orm, settings } from '../../support/test-server.ts';

/** Logs, metrics and traces, and what they must not contain. */

async function observedServer(loadShedder = new LoadShedder(settings)) {
  const lines: string[] = [];
  const log = createLogger('debug', { write: (line) => lines.push(line) });
  const readiness = new Readiness(orm, null, 'not checked');
  const metrics = new Metrics({ readiness, loadShedder, pool: { counts: { total: 3, idle: 2, waiting: 1 } } });
  const spans = new InMemorySpanExporter();
  const tracing = new Tracing(new SimpleSpanProcessor({ exporter: spans }));
  const observers = [metrics, tracing];
  const server = await buildServer({ em: orm.em, log, settings, readiness, loadShedder, observers });
  const send = async (query: string, headers: Record<string, string> = {}) =>
    server.inject({ method: 'POST', url: '/graphql', headers, payload: { query } });
  const logged = () => lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
  return { server, send, log, lines, logged, metrics, spans, tracing };
}

test('each request is one log line with its operation and outcome', async () => {
  const { send, logged, server } = await observedServer();
  await send('query Front { articles { totalCount } }');
  await send('mutation { logout { ok } }');
  await send('{ nonsense }');
  await send('{ articles { totalCount } tags { totalCount } }');
  await server.inject('/nowhere');
  const about = { method: 'POST', status: 200, ms: expect.any(Number), reqId: expect.any(String) };
  expect(logged()).toMatchObject([
    { ...about, level: 30, type: 'query', field: 'articles', name: 'Front', outcome: 'ok' },
    { ...about, type: 'mutation', field: 'logout', outcome: 'UNAUTHENTICATED' },
    { ...about, type: 'none', field: 'none', outcome: 'GRAPHQL_VALIDATION_FAILED' },
    { ...about, type: 'query', field: 'several', outcome: 'ok' },
    { method: 'GET', status: 404, route: null },
  ]);
});

test('shed requests are counted in metrics and logged only at debug', async () => {
  const { send, logged, metrics } = await observedServer(new LoadShedder({ maxInFlight: 0, maxWaitMilliseconds: 0 }));
  expect((await send('{ __typename }')).statusCode).toBe(503);
  expect(logged()).toMatchObject([{ level: 20, status: 503, outcome: 'SERVICE_UNAVAILABLE' }]);
  expect(await metrics.registry.metrics()).toContain('graphql_requests_shed 1');
});

test('metrics contain no client input: no names of operations or fields, no methods or URLs', async () => {
  const { send, server, metrics } = await observedServer();
  for (const operation of ['query', 'mutation', 'subscription']) {
    await send(`${operation} Canary { canary }`);
    await send(`${operation} Canary { __canary }`);
    await send(`${operation} Canary { canary: __typename }`);
    await send(`${operation} Canary { ...canary } fragment canary on Query { canary: __typename }`);
  }
  await server.inject({ method: 'DELETE', url: '/canary?canary=canary' });
  await server.inject({ url: '/graphql?query=canary&canary=canary', headers: { 'x-request-id': 'canary' } });
  const output = await metrics.registry.metrics();
  expect(output).toContain('graphql_requests_total{type="none",field="none",outcome="BAD_USER_INPUT"}');
  expect(output).not.toMatch(/canary/i);
});

test('the log names the user and the refusal, also when clients get it as data', async () => {
  const { send, logged, metrics } = await observedServer();
  const [ann, bob] = [await aUser('ann'), await aUser('bob')];
  await anArticle({ by: ann, title: 'Hers' });
  const login = (password: string) =>
    send(`mutation { login(input: { email: "${ann.email}", password: "${password}" }) { token } }`);
  const as = ({ token }: { token: string }) => ({ authorization: `Token ${token}` });
  await login('wrong');
  await login(PASSWORD);
  await send('mutation { deleteArticle(input: { article: { slug: "hers" } }) { deletedId } }', as(bob));
  await send('mutation { logout { ok } }', as(ann));
  await send('{ viewer { email } }', as(ann));
  expect(logged()).toMatchObject([
    { field: 'login', outcome: 'INVALID_CREDENTIALS' },
    { field: 'login', outcome: 'ok', user: ann.id },
    { field: 'deleteArticle', outcome: 'FORBIDDEN', user: bob.id },
    { field: 'logout', outcome: 'ok', user: ann.id },
    { field: 'viewer', outcome: 'UNAUTHENTICATED' },
  ]);
  expect(logged().map(({ user }) => user)).toEqual([undefined, ann.id, bob.id, ann.id, undefined]);
  expect(await metrics.registry.metrics()).toContain(
    'graphql_requests_total{type="mutation",field="login",outcome="INVALID_CREDENTIALS"} 1',
  );
});

test('the log does not name the user of an ended session, also beside a sign-in that fails', async () => {
  const { send, logged } = await observedServer();
  const ann = await aUser('ann');
  const headers = { authorization: `Token ${ann.token}` };
  await send('mutation { logout { ok } }', headers);
  await send(`mutation { login(input: { email: "${ann.email}", password: "not hers" }) { token } }`, headers);
  expect(logged()).toMatchObject([
    { field: 'logout', user: ann.id },
    { field: 'login', outcome: 'INVALID_CREDENTIALS' },
  ]);
  expect(logged()[1]).not.toHaveProperty('user');
});

test('a request keeps its x-request-id if that is safe to log', async () => {
  const { send, logged } = await observedServer();
  const idFor = async (given: string) =>
    (await send('{ __typename }', { 'x-request-id': given })).headers['x-request-id'];
  expect(await idFor('abc-123.4:5_6')).toBe('abc-123.4:5_6');
  expect(logged()[0].reqId).toBe('abc-123.4:5_6');
  for (const bad of ['', 'a b', 'a\tb', 'x'.repeat(65), '"}{', 'é']) {
    expect(await idFor(bad)).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
  }
});

test('operation names and aliases are not metric labels, only fields of the schema are', async () => {
  const { send, metrics } = await observedServer();
  for (let n = 0; n < 20; n += 1) await send(`query Made${n} { a${n}: articles { totalCount } }`);
  await send('{ __schema { queryType { name } } }');
  await send('{ ...F } fragment F on Query { __typename }');
  const text = await metrics.registry.metrics();
  expect(text).not.toContain('Made');
  expect(text).toContain('graphql_requests_total{type="query",field="articles",outcome="ok"} 20');
  expect(text).toContain('graphql_requests_total{type="query",field="introspection",outcome="ok"} 1');
  expect(text).toContain('graphql_requests_total{type="query",field="several",outcome="ok"} 1');
});

test('metrics cover requests, the pool, the event loop, readiness and migrations, on a separate port', async () => {
  const { send, metrics, log } = await observedServer();
  await send('{ articles { totalCount } }');
  const { url, close } = await openMetricsPort(() => metrics.registry.metrics(), { host: '127.0.0.1', port: 0 }, log);
  const response = await fetch(url);
  const text = await response.text();
  expect(response.headers.get('content-type')).toContain('text/plain');
  for (const line of [
    'graphql_request_duration_seconds_count{type="query",field="articles"} 1',
    'graphql_requests_in_flight 0',
    'graphql_requests_shed 0',
    'db_pool_connections 3',
    'db_pool_idle 2',
    'db_pool_waiting 1',
    'server_ready 1',
    'migrations_missing 0',
    'nodejs_eventloop_lag_p99_seconds ',
  ]) {
    expect(text).toContain(line);
  }
  expect((await fetch(new URL('/', url))).status).toBe(404);
  await close();
});

test('a request is a child span of its caller, and each statement a child span of the request', async () => {
  const { send, spans, tracing } = await observedServer();
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await send('query Front { articles { totalCount } }', { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
  const [span] = spans.getFinishedSpans();
  expect(span?.name).toBe('query articles');
  expect(span?.spanContext().traceId).toBe(traceId);
  expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  expect(span?.attributes).toMatchObject({ 'http.response.status_code': 200, 'conduit.outcome': 'ok' });
  expect(JSON.stringify(span?.attributes)).not.toContain('Front');

  spans.reset();
  const { currentRequest } = await import('../../../src/server/http/current-request.ts');
  const request = { headers: {}, method: 'POST', id: 'x', routeOptions: { url: '/graphql' } } as never;
  tracing.onRequest(request);
  currentRequest.run(request, () =>
    tracing.traceStatement(currentRequest.getStore(), "select 'secret'", Promise.resolve()),
  );
  await Promise.resolve();
  tracing.onResponse(request, { type: 'query', field: 'tags', outcome: 'ok', status: 200, milliseconds: 1 });
  const [statement, parent] = spans.getFinishedSpans();
  expect(statement?.name).toBe('SELECT');
  expect(statement?.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
  expect(JSON.stringify(statement?.attributes)).not.toContain('secret');
});

test('a missing or invalid traceparent starts a new trace', async () => {
  const { send, spans } = await observedServer();
  for (const traceparent of ['', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
    await send('{ __typename }', { traceparent });
  }
  expect(new Set(spans.getFinishedSpans().map((span) => span.spanContext().traceId)).size).toBe(3);
  expect(spans.getFinishedSpans().every((span) => span.parentSpanContext === undefined)).toBe(true);
});

test('/version returns the build', async () => {
  const { server } = await observedServer();
  expect((await server.inject('/version')).json()).toEqual({ name: 'conduit-graphql', version: expect.any(String) });
});

test('passwords, tokens and keys are never in logs, metrics, traces or errors', async () => {
  const CANARY = 'canary-8f3a1c';
  const { send, lines, metrics, spans, server } = await observedServer();
  const ann = await aUser('ann');
  await anArticle({ by: ann, title: 'Good' });
  const responses: string[] = [];
  const record = async (query: string, headers = {}) => responses.push((await send(query, headers)).body);
  const as = { authorization: `Token ${ann.token}` };

  await record(
    `mutation { register(input: { username: "new", email: "new@example.com", password: "${CANARY}" }) { errors { message } } }`,
  );
  await record(
    `mutation { register(input: { username: "ann", email: "x@example.com", password: "${CANARY}" }) { errors { message } } }`,
  );
  await record(`mutation { login(input: { email: "ann@example.com", password: "${CANARY}" }) { errors { message } } }`);
  await record(`mutation { refreshSession(input: { refreshToken: "${CANARY}" }) { errors { message } } }`);
  await record(
    `mutation { updateViewer(input: { password: "${CANARY}x", currentPassword: "${CANARY}" }) { errors { message } } }`,
    as,
  );
  await record('{ viewer { email } }', { authorization: `Token ${CANARY}` });
  await server.inject({
    url: `/graphql?query={__typename}&token=${CANARY}`,
    headers: { cookie: CANARY, authorization: CANARY },
  });
  await server.inject({ url: `/${CANARY}` });
  // Internal and database errors, which quote statements with their values.
  await orm.em.fork().execute('alter table sessions rename to sessions_elsewhere');
  try {
    await record(
      `mutation { login(input: { email: "ann@example.com", password: "${PASSWORD}" }) { errors { message } } }`,
    );
    await record(
      `mutation { register(input: { username: "bob", email: "bob@example.com", password: "${CANARY}" }) { token errors { message } } }`,
    );
    await record('{ viewer { email } }', as);
  } finally {
    await orm.em.fork().execute('alter table sessions_elsewhere rename to sessions');
  }
  const output = [
    ...lines,
    await metrics.registry.metrics(),
    JSON.stringify(spans.getFinishedSpans().map((span) => [span.name, span.attributes, span.events])),
  ].join('\n');
  expect(lines.filter((line) => line.includes('Unhandled error')).length).toBeGreaterThanOrEqual(2);
  const secrets = [CANARY, PASSWORD, ann.token, ann.refreshToken, settings.secretKey, '$argon2id', 'ann@example.com'];
  for (const secret of secrets) expect(output.includes(secret), secret).toBe(false);
  for (const secret of [CANARY, settings.secretKey, '$argon2id'])
    expect(responses.join('\n').includes(secret), secret).toBe(false);
});

test('secrets logged by mistake are redacted by key and in error texts', () => {
  const lines: string[] = [];
  const log = createLogger('info', { write: (line) => lines.push(line) });
  log.info({ password: 'hush', headers: { authorization: 'hush' }, body: { input: { token: 'hush' } } }, 'oops');
  log.error(
    {
      err: Object.assign(new Error(`insert into "users" values ('hush', 'it''s hush') - duplicate key`), {
        detail: 'Key (email)=(hush) already exists.',
        parameters: ['hush'],
      }),
    },
    'oops',
  );
  log.error({ err: new Error('connect to postgresql://ann:hush@host/db') }, 'oops\nhush\u001b[31m'.replace('hush', ''));
  expect(lines.join('')).not.toContain('hush');
  expect(lines.join('')).toContain(`insert into \\"users\\"`);
  expect(lines.map((line) => line.split('\n').length)).toEqual([2, 2, 2]);
});
