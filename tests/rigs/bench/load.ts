import autocannon from 'autocannon';
import type { RunningServer } from './servers.ts';
import type { BenchRequest } from './workloads.ts';

export const CONNECTIONS = 16;

export interface LoadResult {
  /** Requests per second. */
  rate: number;
  /** Latency percentiles in milliseconds. */
  p50: number;
  p99: number;
  responses: number;
}

/** With the CPU time of a request in microseconds, of the server and of PostgreSQL. */
export interface MeasuredLoad extends LoadResult {
  serverCpu: number;
  databaseCpu: number;
}

/** Sends the requests of `ask` as fast as the server responds. Fails if any request does. */
export async function load(server: RunningServer, seconds: number, ask: () => BenchRequest): Promise<LoadResult> {
  const result = await autocannon({
    url: server.url,
    connections: CONNECTIONS,
    duration: seconds,
    requests: [{ setupRequest: () => ask() }],
  });
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${server.name} failed ${failed} of ${result.requests.total} requests.`);
  return {
    rate: result['2xx'] / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    responses: result['2xx'],
  };
}
