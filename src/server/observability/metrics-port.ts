import type { Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import { AggregatorRegistry, Registry } from 'prom-client';
import type { Metrics } from './metrics.ts';

/** Serves what is read at /metrics, on a port of its own: who may use the API is not to know how it fares. */
export async function openMetricsPort(
  read: () => Promise<string>,
  { host, port }: { host: string; port: number },
  log: Pick<FastifyBaseLogger, 'info'>,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async ({ url, method }, response) => {
    if (url !== '/metrics' || method !== 'GET') return void response.writeHead(404).end();
    try {
      const text = await read();
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

/** Of several workers all together: they share their ports, so that on one of theirs any of them would answer. */
export async function collectWorkerMetrics(workers: Iterable<Worker>): Promise<string> {
  const told = (await Promise.all(Array.from(workers, metricsOfOne))).filter((metrics) => metrics !== null);
  if (told.length === 0) throw new Error('No worker serves.');
  return AggregatorRegistry.aggregate(told).metrics();
}

/** null when it ends before it has answered. */
async function metricsOfOne(worker: Worker): Promise<object[] | null> {
  const heard = new AbortController();
  const signal = AbortSignal.any([heard.signal, AbortSignal.timeout(LONGEST_WAIT)]);
  const answer = once(worker, 'message', { signal }).then(([metrics]) => metrics);
  const end = once(worker, 'exit', { signal }).then(() => null);
  worker.send(TELL_METRICS, () => {});
  return Promise.race([answer, end]).finally(() => heard.abort());
}

/** For a worker: answers `collectWorkerMetrics`. */
export function sendMetricsOnRequest({ registry }: Metrics): void {
  process.on('message', async (message) => {
    if (message === TELL_METRICS) process.send?.(await registry.getMetricsAsJSON());
  });
}

const TELL_METRICS = 'tell metrics';

const LONGEST_WAIT = 5_000;
