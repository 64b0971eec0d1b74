import cluster from 'node:cluster';
import type { FastifyBaseLogger } from 'fastify';
import type { ServerPool } from '../../database/server-pool.ts';
import type { Environment } from '../../environment.ts';
import { currentRequest } from '../http/current-request.ts';
import type { Readiness } from '../http/health.ts';
import type { LoadShedder } from '../http/load-shedding.ts';
import type { RequestObserver } from './request-log.ts';

/** Metrics and traces, as far as the environment asks for them; what it does not ask for is not even loaded. */
export async function openObservers(
  { metrics, traces }: Pick<Environment, 'metrics' | 'traces'>,
  { readiness, loadShedder, pool, log }: WatchedParts,
): Promise<(RequestObserver & { close(): Promise<void> })[]> {
  const opened: (RequestObserver & { close(): Promise<void> })[] = [];
  if (metrics) {
    const { Metrics } = await import('./metrics.ts');
    const { openMetricsPort, sendMetricsOnRequest } = await import('./metrics-port.ts');
    const numbers = new Metrics({ readiness, loadShedder, pool });
    const port = cluster.isWorker
      ? sendMetricsOnRequest(numbers)
      : await openMetricsPort(() => numbers.registry.metrics(), metrics, log);
    opened.push({ onResponse: (request, seen) => numbers.onResponse(request, seen), close: async () => port?.close() });
  }
  if (traces) {
    const { Tracing } = await import('./tracing.ts');
    const tracing = new Tracing();
    if (pool) pool.onStatement = (text, answer) => tracing.statement(currentRequest.getStore(), text, answer);
    opened.push(tracing);
  }
  return opened;
}

interface WatchedParts {
  readonly readiness: Readiness;
  readonly loadShedder: LoadShedder;
  readonly pool: ServerPool | null;
  readonly log: FastifyBaseLogger;
}
