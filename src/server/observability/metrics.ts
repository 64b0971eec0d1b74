import type { FastifyRequest } from 'fastify';
import { type Aggregator, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Readiness } from '../http/health.ts';
import type { LoadShedder } from '../http/load-shedding.ts';
import type { RequestObserver, RequestSummary } from './request-log.ts';

/** Prometheus metrics of this process. */
export class Metrics implements RequestObserver {
  readonly registry = new Registry();
  private readonly requests: Counter<'type' | 'field' | 'outcome'>;
  private readonly seconds: Histogram<'type' | 'field'>;

  constructor({
    readiness,
    loadShedder,
    pool,
  }: { readiness: Readiness; loadShedder: LoadShedder; pool: PoolCounts | null }) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.requests = new Counter({
      name: 'graphql_requests_total',
      help: 'Operations by root field and outcome, of requests to /graphql and /api.',
      labelNames: ['type', 'field', 'outcome'],
      registers,
    });
    this.seconds = new Histogram({
      name: 'graphql_request_duration_seconds',
      help: 'Duration of requests to /graphql and /api, from the headers to the end of the response.',
      labelNames: ['type', 'field'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    });
    this.gauge(
      'graphql_requests_in_flight',
      'Requests to /graphql and /api in progress or queued.',
      () => loadShedder.inFlight,
    );
    this.gauge(
      'graphql_requests_shed',
      'Requests to /graphql and /api that were shed since the start.',
      () => loadShedder.shed,
    );
    this.gauge(
      'server_ready',
      '1 while /readyz succeeds.',
      async () => ((await readiness.notReadyReason().catch(String)) ? 0 : 1),
      'min',
    );
    this.gauge(
      'migrations_missing',
      '1 until every migration is applied.',
      () => (readiness.isMigrated ? 0 : 1),
      'max',
    );
    if (!pool) return;
    this.gauge('db_pool_connections', 'Connections to the database, in use or idle.', () => pool.counts.total);
    this.gauge('db_pool_idle', 'Idle connections to the database.', () => pool.counts.idle);
    this.gauge('db_pool_waiting', 'Requests waiting for a connection to the database.', () => pool.counts.waiting);
  }

  onResponse(_request: FastifyRequest, { type, field, outcome, milliseconds }: RequestSummary): void {
    this.requests.inc({ type, field, outcome });
    this.seconds.observe({ type, field }, milliseconds / 1000);
  }

  /** Read on each scrape. Values of several workers are summed unless another aggregator is given. */
  private gauge(
    name: string,
    help: string,
    read: () => number | Promise<number>,
    aggregator: Aggregator = 'sum',
  ): void {
    new Gauge({
      name,
      help,
      aggregator,
      registers: [this.registry],
      async collect() {
        this.set(await read());
      },
    });
  }
}

interface PoolCounts {
  readonly counts: { total: number; idle: number; waiting: number };
}
