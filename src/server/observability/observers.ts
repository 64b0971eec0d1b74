import cluster from 'node:cluster';
import type { FastifyBaseLogger } from 'fastify';
import type { ServerPool } from '../../database/server-pool.ts';
import type { Environment } from '../../environment.ts';
import type { Readiness } from '../http/health.ts';
import type { Load } from '../http/load-shedding.ts';
import { requests } from '../server.ts';
import type { Watcher } from './request-log.ts';

/** Metrics and traces, as far as the environment asks for them; what it does not ask for is not even loaded. */
export async function openWatchers(
  { metrics, traces }: Pick<Environment, 'metrics' | 'traces'>,
  { readiness, load, pool, log }: WatchedParts,
): Promise<(Watcher & { close(): Promise<void> })[]> {
  const opened: (Watcher & { close(): Promise<void> })[] = [];
  if (metrics) {
    const { Metrics } = await import('./metrics.ts');
    const { openMetricsPort, tellMetrics } = await import('./metrics-port.ts');
    const numbers = new Metrics({ readiness, load, pool });
    const port = cluster.isWorker
      ? tellMetrics(numbers)
      : await openMetricsPort(() => numbers.registry.metrics(), metrics, log);
    opened.push({ ended: (request, seen) => numbers.ended(request, seen), close: async () => port?.close() });
  }
  if (traces) {
    const { Tracing } = await import('./tracing.ts');
    const tracing = new Tracing();
    if (pool) pool.onStatement = (text, answer) => tracing.statement(requests.getStore(), text, answer);
    opened.push(tracing);
  }
  return opened;
}

interface WatchedParts {
  readonly readiness: Readiness;
  readonly load: Load;
  readonly pool: ServerPool | null;
  readonly log: FastifyBaseLogger;
}
