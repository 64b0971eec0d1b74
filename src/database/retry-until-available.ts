import { setTimeout as sleep } from 'node:timers/promises';
import { isTransientDatabaseError } from './database-errors.ts';

/**
 * Runs work that needs the database. If the database is unavailable, the start continues without it and the work is retried
 * in the background until it succeeds. Any other error of a retry goes to `fail`.
 */
export async function retryUntilAvailable(
  work: () => Promise<void>,
  { onUnavailable, fail }: { onUnavailable(error: unknown): void; fail(error: unknown): void },
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isTransientDatabaseError(error)) throw error;
    onUnavailable(error);
    void retry(work).catch(fail);
  }
}

async function retry(work: () => Promise<void>): Promise<void> {
  for (let delay = 100; ; delay = Math.min(2 * delay, MAX_DELAY)) {
    await sleep(delay * (0.5 + Math.random() / 2), undefined, { ref: false });
    try {
      return await work();
    } catch (error) {
      if (!isTransientDatabaseError(error)) throw error;
    }
  }
}

const MAX_DELAY = 1_000;
