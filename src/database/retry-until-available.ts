import { setTimeout as sleep } from 'node:timers/promises';
import { isTransientDatabaseError } from './database-errors.ts';

/**
 * Does what a start needs the database for, at once if it is there. If it is away, the start goes on without, and the
 * work is done as soon as it arrives; whatever else goes wrong then is handed to `fail`.
 */
export async function retryUntilAvailable(
  work: () => Promise<void>,
  { waiting, fail }: { waiting(why: unknown): void; fail(error: unknown): void },
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isTransientDatabaseError(error)) throw error;
    waiting(error);
    void retry(work).catch(fail);
  }
}

async function retry(work: () => Promise<void>): Promise<void> {
  for (let pause = 100; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    await sleep(pause * (0.5 + Math.random() / 2), undefined, { ref: false });
    try {
      return await work();
    } catch (error) {
      if (!isTransientDatabaseError(error)) throw error;
    }
  }
}

const LONGEST_PAUSE = 1_000;
