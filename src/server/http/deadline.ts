import type { FastifyReply } from 'fastify';

/** Work was aborted: it took too long, the client disconnected, or the response is complete. */
export class RequestAborted extends Error {}

/** Ends fields that still run beside one that failed. */
export const RESPONSE_COMPLETE = new RequestAborted('The response is complete.');

/**
 * Aborts on timeout, or when the connection closes before the response is sent. Fastify's own signal and timeout do not work
 * for POST: they take the end of the body for the end of the request.
 */
export function startDeadline({ raw }: FastifyReply, seconds: number): AbortController {
  const deadline = new AbortController();
  const timeout = () => deadline.abort(new RequestAborted(`The request took longer than ${seconds} s.`));
  const timer = setTimeout(timeout, seconds * 1000);
  raw.once('close', () => {
    clearTimeout(timer);
    if (!raw.writableFinished) deadline.abort(new RequestAborted('The client disconnected.'));
  });
  return deadline;
}

/** The promise, rejected early when the signal aborts. */
export const rejectOnAbort = <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
