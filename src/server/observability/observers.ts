import cluster from 'node:cluster';
import type { FastifyBaseLogger } from 'fastify';
import type { ServerPool } from '../../database/server-pool.ts';
import type { Environment } from '../../environment.ts';
import { currentRequest } from '../http/current-request.ts';
import type { Readiness } from '../http/health.ts';
import type { LoadShedder } from '../http/load-shedding.ts';
import type { RequestObserver } from './request-log.ts';

/** Metrics and traces, each loaded only if the environment enables it. */
export async function openObservers(
  { metrics, traces }: Pick<Environment, 'metrics' | 'traces'>,
  { readiness, loadShedder, pool, log }: ObservedParts,
): Promise<(RequestObserver & { close(): Promise<void> })[]> {
  const opened: (RequestObserver & { close(): Promise<void> })[] = [];
  if (metrics) {
    const { Metrics } = await import('./metrics.ts');
    const { openMetricsPort, sendMetricsOnRequest } = await import('./metrics-port.ts');
    const prometheus = new Metrics({ readiness, loadShedder, pool });
    const port = cluster.isWorker
      ? sendMetricsOnRequest(prometheus)
      : await openMetricsPort(() => prometheus.registry.metrics(), metrics, log);
    opened.push({
      onResponse: (request, summary) => prometheus.onResponse(request, summary),
      close: async () => port?.close(),
    });
  }
  if (traces) {
    const { Tracing } = await import('./tracing.ts');
    const tracing = new Tracing();
    if (pool) pool.onStatement = (text, result) => tracing.traceStatement(currentRequest.getStore(), text, result);
    opened.push(tracing);
  }
  return opened;
}

interface ObservedParts {
  readonly readiness: Readiness;
  readonly loadShedder: LoadShedder;
  readonly pool: ServerPool | null;
  readonly log: FastifyBaseLogger;
}
