import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { afterAll, inject } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { LoadShedder } from '../../../src/server/http/load-shedding.ts';
import { createLogger } from '../../../src/server/observability/log.ts';
import { Metrics } from '../../../src/server/observability/metrics.ts';
import { Tracing } from '../../../src/server/observability/tracing.ts';
import { buildServer } from '../../../src/server/server.ts';
import { PASSWORD } from '../../support/test-data.ts';
import { orm, settings } from '../../support/test-server.ts';

/** `npm run test:attacks` runs everything, `npm run test:postgres` a sample. */
export const isLong = inject('attacks') === 'long';
export const scaled = (long: number, short: number): number => (isLong ? long : short);

declare module 'vitest' {
  interface ProvidedContext {
    attacks: 'long' | 'short';
  }
}

/** A generator of integers below a limit, reproducible by its seed. */
export function seededRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

export const seed = Number(process.env.SEED || Date.now() % 2 ** 31);

/** Must not appear in any output of the server. */
export const CANARY = 'canary-8f3a1c-password';
const SECRETS = [CANARY, PASSWORD, settings.secretKey, '$argon2id'];
let secrets = SECRETS;
export function addSecrets(...tokens: string[]): void {
  secrets = [...SECRETS, ...tokens];
}
export const secretIn = (text: string): string | undefined => secrets.find((secret) => text.includes(secret));

/** Outputs with a secret, of logs and traces; the metrics are checked at the end. */
const leaks: string[] = [];
export const leaked = async (): Promise<string[]> => {
  const exposition = await metrics.registry.metrics();
  return secretIn(exposition) ? [...leaks, exposition] : leaks;
};
const checkForSecrets = (text: string): void => void (secretIn(text) && leaks.push(text));

/** A server configured for production, with its log, metrics and traces. */
const production = { ...settings, production: true, introspection: false, playground: false };
const readiness = new Readiness(orm, null, 'not checked');
const loadShedder = new LoadShedder(production);
const metrics = new Metrics({ readiness, loadShedder, pool: null });
const spans: SpanProcessor = {
  onStart: () => {},
  onEnd: ({ name, attributes, events }) => checkForSecrets(JSON.stringify([name, attributes, events])),
  forceFlush: async () => {},
  shutdown: async () => {},
};
const server = await buildServer({
  em: orm.em,
  log: createLogger('trace', { write: checkForSecrets }),
  settings: production,
  readiness,
  loadShedder,
  observers: [metrics, new Tracing(spans)],
});
afterAll(() => server.close());

export interface TimedResponse {
  readonly status: number;
  readonly text: string;
  readonly milliseconds: number;
  /** CPU time of this thread, during which no other request was served; independent of other load on the machine. */
  readonly busy: number;
}

interface Target {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
}

/** Injects a request into the server, without a network. */
export async function send(
  payload: string | Buffer,
  headers: Record<string, string> = {},
  remoteAddress = '127.0.0.1',
  { method, url }: Target = { method: 'POST', url: '/graphql' },
): Promise<TimedResponse> {
  const start = performance.now();
  const before = process.threadCpuUsage();
  const { statusCode, payload: text } = await server.inject({
    method,
    url,
    headers: { 'content-type': 'application/json', ...headers },
    ...(method !== 'GET' && { payload }),
    remoteAddress,
  });
  const { user, system } = process.threadCpuUsage(before);
  return { status: statusCode, text, milliseconds: performance.now() - start, busy: (user + system) / 1000 };
}

export const sendQuery = (query: string, variables = {}, headers = {}) =>
  send(JSON.stringify({ query, variables }), headers);

/** The value that this fraction of the values does not exceed. */
export const quantile = (values: readonly number[], fraction: number): number =>
  values.toSorted((one, other) => one - other)[Math.ceil(values.length * fraction) - 1] ?? 0;
