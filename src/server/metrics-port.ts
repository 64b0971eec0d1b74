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
      response.writeHead(503).end(); // a worker went before it had answered; the next to ask hears of the others
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

/** For the process that looks after workers. They share their ports, so that on one of theirs any of them would answer. */
export function metricsOfWorkers(): () => Promise<string> {
  const all = new AggregatorRegistry();
  return () => all.clusterMetrics();
}

/** For a worker: the numbers that `metricsOfWorkers` asks it for. */
export function tellMetrics({ registry }: Metrics): void {
  AggregatorRegistry.setRegistries([registry]);
  new AggregatorRegistry(); // listens to who asks
}
