import type { Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import { AggregatorRegistry, Registry } from 'prom-client';
import type { Metrics } from './metrics.ts';

/** Serves /metrics on a separate port, because clients of the API must not see metrics. */
export async function openMetricsPort(
  readMetrics: () => Promise<string>,
  { host, port }: { host: string; port: number },
  log: Pick<FastifyBaseLogger, 'info'>,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async ({ url, method }, response) => {
    if (url !== '/metrics' || method !== 'GET') return void response.writeHead(404).end();
    try {
      const text = await readMetrics();
      response.writeHead(200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }).end(text);
    } catch {
      response.writeHead(503).end();
    }
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(port, host, listening));
  const close = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  const url = `http://${host}:${(server.address() as AddressInfo).port}/metrics`;
  log.info(`Metrics at ${url}`);
  return { url, close };
}

/** Aggregates the metrics of all workers: on a shared port, an arbitrary worker would respond. */
export async function collectWorkerMetrics(workers: Iterable<Worker>): Promise<string> {
  const collected = (await Promise.all(Array.from(workers, workerMetrics))).filter((metrics) => metrics !== null);
  if (collected.length === 0) throw new Error('No worker is listening.');
  return AggregatorRegistry.aggregate(collected).metrics();
}

/** Null if the worker exits before it responds. */
async function workerMetrics(worker: Worker): Promise<object[] | null> {
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(TIMEOUT)]);
  const response = once(worker, 'message', { signal }).then(([metrics]) => metrics);
  const exit = once(worker, 'exit', { signal }).then(() => null);
  worker.send(METRICS_REQUEST, () => {});
  return Promise.race([response, exit]).finally(() => done.abort());
}

/** For workers: responds to `collectWorkerMetrics`. */
export function sendMetricsOnRequest({ registry }: Metrics): void {
  process.on('message', async (message) => {
    if (message === METRICS_REQUEST) process.send?.(await registry.getMetricsAsJSON());
  });
}

const METRICS_REQUEST = 'metrics';

const TIMEOUT = 5_000;
