import { setTimeout as sleep } from 'node:timers/promises';
import { sqlState, systemCode } from '../problems.ts';

/** lock_not_available, deadlock_detected, serialization_failure. */
const LOCK_CONFLICTS = new Set(['55P03', '40P01', '40001']);

/** Whether the statement failed on a lock held by another transaction, so that a retry makes sense. */
export const isLockConflict = (error: unknown) => LOCK_CONFLICTS.has(sqlState(error) ?? '');

/** Retries the work on lock conflicts, with growing pauses; throws the last error. */
export async function withRetries<T>(
  attempts: number,
  onRetry: (error: unknown, attempt: number, pause: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isLockConflict(error) || attempt >= attempts) throw error;
      const pause = pauseAfter(attempt);
      onRetry(error, attempt, pause);
      await sleep(pause);
    }
  }
}

/** 0.5 s, 1 s, 2 s, … up to 10 s, with a jitter of half: two migrators must not retry in step. */
function pauseAfter(attempt: number, random = Math.random()): number {
  return Math.round(Math.min(10_000, 250 * 2 ** attempt) * (0.5 + random));
}

const UNREACHABLE = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * Retries for a minute while the database is unreachable: when the process that owns a shared embedded database exits,
 * one of the others reopens it.
 */
export async function retryUntilReachable<T>(work: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 60_000; ; await sleep(100)) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() >= deadline || !UNREACHABLE.has(systemCode(error) ?? '')) throw error;
    }
  }
}
