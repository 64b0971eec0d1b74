import type { FastifyReply } from 'fastify';

/** Why work for an answer was ended: it took too long, nobody waits for it any more, or the answer is known. */
export class RequestAborted extends Error {}

/** Of what was asked for beside a field that failed, nothing need be looked for any more. */
export const ANSWERED = new RequestAborted('The answer is known.');

/**
 * Aborts when the time for the answer is over, or its connection closes before it is out. Fastify's own signal and
 * timeout are no use for POST: they take the end of the body for the end of the request.
 */
export function deadlineFor({ raw }: FastifyReply, seconds: number): AbortController {
  const work = new AbortController();
  const timer = setTimeout(() => work.abort(new RequestAborted(`It took longer than ${seconds} s.`)), seconds * 1000);
  raw.once('close', () => {
    clearTimeout(timer);
    if (!raw.writableFinished) work.abort(new RequestAborted('Nobody waits for the answer.'));
  });
  return work;
}

/** What the promise comes to, if it does so before the deadline. */
export const before = <T>(deadline: AbortSignal, promise: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    deadline.addEventListener('abort', () => reject(deadline.reason), { once: true });
    promise.then(resolve, reject);
  });
