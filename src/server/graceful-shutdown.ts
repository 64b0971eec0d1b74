import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Readiness } from './http/health.ts';

/** Milliseconds: the delay for load balancers, and the time for responses in progress. */
export const shutdownTimeout = (delaySeconds: number): number => delaySeconds * 1000 + MAX_RESPONSE_TIME;

const MAX_RESPONSE_TIME = 15_000;

/**
 * On close, `/readyz` fails first, while requests are served until load balancers have noticed. Responses close their
 * connections from then on, so that clients reconnect to another server. Then the server stops listening and finishes the
 * requests it has.
 */
export function addGracefulShutdown(server: FastifyInstance, readiness: Readiness, delaySeconds: number): void {
  // Fastify awaits this hook, and listens meanwhile.
  server.addHook('preClose', async () => {
    readiness.isShuttingDown = true;
    await sleep(delaySeconds * 1000);
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.isShuttingDown) reply.header('connection', 'close');
    done(null, payload);
  });
}
