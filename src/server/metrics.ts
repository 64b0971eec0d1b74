import { createServer, type Server } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Readiness } from './health.ts';
import type { Load } from './load.ts';
import type { Seen, Watcher } from './watching.ts';

/** The numbers of this process, for Prometheus. */
export class Metrics implements Watcher {
  readonly registry = new Registry();
  private readonly requests: Counter<'type' | 'field' | 'outcome'>;
  private readonly seconds: Histogram<'type' | 'field'>;

  constructor({ readiness, load, pool }: { readiness: Readiness; load: Load; pool: PoolCounts | null }) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.requests = new Counter({
      name: 'graphql_requests_total',
      help: 'Requests to /graphql by what they asked for and what came of it.',
      labelNames: ['type', 'field', 'outcome'],
      registers,
    });
    this.seconds = new Histogram({
      name: 'graphql_request_duration_seconds',
      help: 'How long requests to /graphql took, from their headers to the end of the answer.',
      labelNames: ['type', 'field'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    this.gauge('graphql_requests_in_flight', 'Requests to /graphql that are being worked on.', () => load.inFlight);
    this.gauge('graphql_requests_shed', 'Requests to /graphql that were turned away since the start.', () => load.shed);
    this.gauge('server_ready', '1 while /readyz says that requests may be sent here.', async () =>
      (await readiness.fault().catch(String)) ? 0 : 1,
    );
    this.gauge(
      'migrations_missing',
      '1 while the database does not have every migration, or its history a fault.',
      async () => (readiness.isMigrated ? 0 : 1),
    );
    if (pool) {
      this.gauge(
        'db_pool_connections',
        'Connections to the database, those in use and those that are not.',
        () => pool.counts.total,
      );
      this.gauge('db_pool_idle', 'Connections to the database that nobody uses.', () => pool.counts.idle);
      this.gauge('db_pool_waiting', 'Requests that wait for a connection to the database.', () => pool.counts.waiting);
    }
  }

  /** A number that is looked up whenever somebody asks. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        this.set(await read());
      },
    });
  }

  ended(_request: FastifyRequest, { type, field, outcome, milliseconds }: Seen): void {
    this.requests.inc({ type, field, outcome });
    this.seconds.observe({ type, field }, milliseconds / 1000);
  }
}

interface PoolCounts {
  readonly counts: { total: number; idle: number; waiting: number };
}

/** Serves them at /metrics, on a port of their own: who may use the API is not to know how it fares. */
export async function serveMetrics(
  { registry }: Metrics,
  { host, port }: { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(async ({ url, method }, response) => {
    if (url !== '/metrics' || method !== 'GET') return void response.writeHead(404).end();
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType }).end(text);
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(port, host, listening));
  return { port: portOf(server), close: () => closed(server) };
}

const portOf = (server: Server) => (server.address() as { port: number }).port;

const closed = (server: Server) =>
  new Promise<void>((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
