import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Readiness } from './http/health.ts';

/** Milliseconds in which a server that was told to stop leaves: the delay for balancers, and the answers under way. */
export const shutdownTimeout = (delaySeconds: number): number => delaySeconds * 1000 + LONGEST_ANSWER;

const LONGEST_ANSWER = 15_000;

/**
 * A server that is closed first says so at `/readyz`, and serves on until balancers had the time to look. Each answer
 * from then on ends its connection, so that clients come back to somebody else; then nobody is let in, and who is in
 * gets an answer.
 */
export function addGracefulShutdown(server: FastifyInstance, readiness: Readiness, delaySeconds: number): void {
  // Fastify still listens during this hook, and waits for it.
  server.addHook('preClose', async () => {
    readiness.isShuttingDown = true;
    await sleep(delaySeconds * 1000);
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.isShuttingDown) reply.header('connection', 'close');
    done(null, payload);
  });
}
