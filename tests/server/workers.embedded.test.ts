import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { collectWorkerMetrics } from '../../src/server/observability/metrics-port.ts';
import { emptyDatabase } from '../support/empty-database.ts';
import { freePort } from '../support/free-port.ts';

let server: Server;

beforeAll(async () => {
  server = await startServer({ WEB_CONCURRENCY: '2', METRICS_PORT: '0' });
});

afterAll(() => server.remove());

test('two workers serve one port once started, on a database that was migrated once', async () => {
  expect(await server.query()).toMatchObject({ data: { articles: { totalCount: 0 } } });
  expect(server.workers()).toHaveLength(2);
  expect(server.log().match(/"msg":"Applied Migration\w+_create_comments"/g)).toHaveLength(1);
  expect(await server.isReady()).toBe(true);
});

test('the log of a first start is lines of JSON without colours, which say how far the migrations are', () => {
  const lines = server
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const applied = lines.filter(({ msg }) => msg.startsWith('Applied Migration'));
  expect(applied.map(({ number }) => number)).toEqual(applied.map((_, index) => index + 1));
  expect(applied.every(({ of }) => of === applied.length)).toBe(true);
  expect(server.log()).not.toContain('\u001b');
});

test('metrics are aggregated over all workers', async () => {
  const metrics = async () => (await fetch(server.metrics())).text();
  const counted = async () => Number(/graphql_requests_total{.*field="tags".*} (\d+)/.exec(await metrics())?.[1] ?? 0);
  const before = await counted();
  for (let n = 0; n < 6; n += 1) await server.query('{ tags { totalCount } }');
  await expect.poll(counted, { timeout: 10_000 }).toBe(before + 6); // counted once the response is sent
  expect(await metrics()).toMatch(/^server_ready 1$/m);
  expect(await metrics()).toMatch(/^migrations_missing 0$/m);
});

test('a worker that dies is replaced, and metrics come from the other meanwhile', async () => {
  const [first = 0, second = 0] = server.workers();
  process.kill(first, 'SIGKILL');
  await until(() => server.workers().some((pid) => pid !== first && pid !== second)); // a replacement starts
  expect(await (await fetch(server.metrics())).text()).toMatch(/^server_ready 1$/m);
  await until(() => server.workers().length === 2 && !server.workers().includes(first));
  expect(server.workers()).toContain(second);
  await until(() => server.log().includes(`Worker ${first} exited with SIGKILL, restarting`));
  expect(await server.query()).toMatchObject({ data: { articles: { totalCount: 0 } } });
});

test('a connection to a worker that is killed before accepting it goes to another', async () => {
  await until(server.allListen);
  const [first = 0] = server.workers();
  process.kill(first, 'SIGSTOP');
  let responses = 0;
  const requests = Array.from({ length: 4 }, () => server.query().then(() => (responses += 1)));
  await until(() => responses === 3);
  process.kill(first, 'SIGKILL');
  await Promise.all(requests);
  await until(() => server.workers().length === 2);
});

test('there are no metrics without a listening worker', async () => {
  await expect(collectWorkerMetrics([])).rejects.toThrow('No worker is listening.');
});

test('SIGHUP restarts the workers one by one, without a failed request', async () => {
  const [before, restartsBefore] = [server.workers(), restarts()];
  server.process.kill('SIGHUP');
  let responses = 0;
  let most = 0;
  for (; restarts() === restartsBefore; responses += 1) {
    expect(await server.query()).toMatchObject({ data: { articles: { totalCount: 0 } } });
    most = Math.max(most, server.workers().length);
  }
  expect(responses).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(3);
  expect(server.workers()).toHaveLength(2);
  for (const worker of before) expect(server.workers()).not.toContain(worker);
});

test('a worker that dies while its replacement starts is not replaced twice', async () => {
  const [restartsBefore, [first = 0]] = [restarts(), server.workers()];
  server.process.kill('SIGHUP');
  await until(() => server.workers().length === 3);
  process.kill(first, 'SIGKILL');
  await until(() => restarts() > restartsBefore);
  expect(server.workers()).toHaveLength(2);
});

const restarts = () => server.log().match(/All workers restarted/g)?.length ?? 0;

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s lets the workers finish their requests, then ends them',
  async (signal) => {
    const server = await ownServer();
    const body = JSON.stringify({ query: '{ articles { totalCount } }' });
    const socket = connect(server.port, '127.0.0.1');
    let response = '';
    socket.on('data', (chunk) => {
      response += chunk;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const head = [
      'POST /graphql HTTP/1.1',
      'host: localhost',
      'content-type: application/json',
      `content-length: ${body.length}`,
      'expect: 100-continue',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
    await until(() => response.startsWith('HTTP/1.1 100 Continue')); // a worker has the request
    const workers = server.workers();
    // As a terminal and systemd do: every process gets the signal.
    for (const pid of [server.process.pid ?? 0, ...workers]) process.kill(pid, signal);
    await until(async () => !(await server.isReady().catch(() => false)));
    socket.write(body.slice(5));
    expect(await server.exitCode).toBe(0);
    await closed;
    expect(response).toMatch(/"totalCount" ?: ?0}/); // PostgreSQL's JSON, with or without spaces
    for (const pid of workers) expect(isAlive(pid)).toBe(false);
  },
);

test('SIGTERM during startup exits without an error', async () => {
  const server = await ownServer({}, { listens: false });
  await until(() => server.workers().length === 2);
  server.process.kill('SIGTERM');
  expect(await server.exitCode).toBe(0);
  expect(server.log()).not.toContain('before it listened');
});

test('workers do not outlive the primary', async () => {
  const server = await ownServer();
  const workers = server.workers();
  server.process.kill('SIGKILL');
  await until(() => workers.every((pid) => !isAlive(pid)));
});

test('a worker that cannot start ends the primary, with its reason', async () => {
  const other = await ownServer({ PORT: String(server.port) }, { listens: false });
  expect(await other.exitCode).toBe(1);
  expect(other.log()).toMatch(/EADDRINUSE[\s\S]*A worker exited with 1 before it listened/);
});

interface Server {
  process: ChildProcess;
  port: number;
  exitCode: Promise<number | null>;
  log: () => string;
  /** Process ids. */
  workers: () => number[];
  /** Whether both workers have started, also those that replace others. */
  allListen: () => boolean;
  query: (query?: string) => Promise<unknown>;
  metrics: () => string;
  isReady: () => Promise<boolean>;
  remove: () => Promise<void>;
}

/** A server for one test. */
async function ownServer(variables: Record<string, string> = {}, options?: { listens: boolean }): Promise<Server> {
  const own = await startServer({ WEB_CONCURRENCY: '2', ...variables }, options);
  onTestFinished(own.remove);
  return own;
}

/** Starts the server's command on an empty database of the kind that the suite runs on. */
async function startServer(variables: Record<string, string>, { listens = true } = {}): Promise<Server> {
  const { environment, remove } = await databaseToStartOn();
  const port = await freePort();
  const child = spawn(process.execPath, ['--import', '@oxc-node/core/register', 'src/main.ts'], {
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      MIGRATE_ON_START: 'up',
      ...environment,
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      log += chunk;
    });
  const exitCode = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const server: Server = {
    process: child,
    port,
    exitCode,
    log: () => log,
    workers: () => childrenOf(child.pid ?? 0),
    allListen: () => {
      const workers = server.workers();
      return workers.length === 2 && workers.every((pid) => log.match(`"pid":${pid},.*"msg":"Server listening`));
    },
    query: async (query = '{ articles { totalCount } }') => {
      const response = await fetch(`http://127.0.0.1:${server.port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ query }),
      });
      return response.json();
    },
    metrics: () => /Metrics at (http:[^"]+)/.exec(log)?.[1] ?? '',
    // A connection made while the last worker exits may hang until the process ends.
    isReady: async () =>
      (await fetch(`http://127.0.0.1:${server.port}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok,
    remove: async () => {
      child.kill('SIGKILL');
      await exitCode;
      await remove();
    },
  };
  if (listens) await until(() => log.includes('GraphQL at') || child.exitCode !== null);
  return server;
}

async function databaseToStartOn() {
  if (inject('template').kind === 'postgres') return emptyDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'conduit-workers-'));
  return { environment: { DATA_FOLDER: folder }, remove: async () => rmSync(folder, { recursive: true, force: true }) };
}

const childrenOf = (pid: number): number[] =>
  runningProcesses()
    .filter(({ parent }) => parent === pid)
    .map((child) => child.pid);

const isAlive = (pid: number): boolean => runningProcesses().some((running) => running.pid === pid);

/** Without zombies. */
function runningProcesses(): { pid: number; parent: number }[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , state]) => !state?.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}
