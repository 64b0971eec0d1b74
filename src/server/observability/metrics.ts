import type { FastifyRequest } from 'fastify';
import { type Aggregator, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Readiness } from '../http/health.ts';
import type { LoadShedder } from '../http/load-shedding.ts';
import type { RequestObserver, RequestSummary } from './request-log.ts';

/** The numbers of this process, for Prometheus. */
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
    this.gauge('graphql_requests_in_flight', 'Requests to /graphql that are in hand.', () => loadShedder.inFlight);
    this.gauge(
      'graphql_requests_shed',
      'Requests to /graphql that were turned away since the start.',
      () => loadShedder.shed,
    );
    this.gauge(
      'server_ready',
      '1 while /readyz says that requests may be sent here.',
      async () => ((await readiness.notReadyReason().catch(String)) ? 0 : 1),
      'min',
    );
    this.gauge(
      'migrations_missing',
      '1 until the database was seen to have every migration.',
      () => (readiness.isMigrated ? 0 : 1),
      'max',
    );
    if (!pool) return;
    this.gauge('db_pool_connections', 'Connections to the database, in use or not.', () => pool.counts.total);
    this.gauge('db_pool_idle', 'Connections to the database that nobody uses.', () => pool.counts.idle);
    this.gauge('db_pool_waiting', 'Requests that wait for a connection to the database.', () => pool.counts.waiting);
  }

  onResponse(_request: FastifyRequest, { type, field, outcome, milliseconds }: RequestSummary): void {
    this.requests.inc({ type, field, outcome });
    this.seconds.observe({ type, field }, milliseconds / 1000);
  }

  /** A number that is looked up whenever somebody asks; of several processes, all of theirs together unless said. */
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
