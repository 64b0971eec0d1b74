import autocannon from 'autocannon';
import type { Running } from './servers.ts';
import type { Asked } from './works.ts';

export const CONNECTIONS = 16;

/** One turn of a server: its speed, and how many requests it answered. */
export interface Turn {
  /** Answers a second. */
  rate: number;
  /** Milliseconds that half of the answers took at most, and 99 of 100. */
  p50: number;
  p99: number;
  answers: number;
}

/** Has a server answer as fast as it can; each request is the next one of `ask`. Fails if any answer does. */
export async function load(server: Running, seconds: number, ask: () => Asked): Promise<Turn> {
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
    answers: result['2xx'],
  };
}
