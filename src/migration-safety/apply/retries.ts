import { setTimeout as sleep } from 'node:timers/promises';
import { sqlState, systemCode } from '../problems.ts';

/** What passes by itself when tried again: a busy table, a deadlock, a serialization failure. */
const passing = new Set(['55P03', '40P01', '40001']);

/** Whether the statement lost a race for a lock, so that trying it again later makes sense. */
export const lostARace = (error: unknown) => passing.has(sqlState(error) ?? '');

/** Runs the work again while it loses races for locks, waiting longer each time; the last error is the caller's. */
export async function withRetries<T>(
  attempts: number,
  tellAbout: (error: unknown, attempt: number, pause: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!lostARace(error) || attempt >= attempts) throw error;
      const pause = pauseAfter(attempt);
      tellAbout(error, attempt, pause);
      await sleep(pause);
    }
  }
}

/** 0.5 s, 1 s, 2 s, … up to 10 s, each half to one and a half times: two migrators don't come back in step. */
function pauseAfter(attempt: number, random = Math.random()): number {
  return Math.round(Math.min(10_000, 250 * 2 ** attempt) * (0.5 + random));
}

const away = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * Asks again while the database can not be reached, for a minute: when the process that had a shared embedded
 * database ends, one of those that used it opens it again.
 */
export async function retryUntilReachable<T>(work: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 60_000; ; await sleep(100)) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() >= deadline || !away.has(systemCode(error) ?? '')) throw error;
    }
  }
}
