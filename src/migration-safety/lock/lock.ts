import { MigrationProblem } from '../problems.ts';
import type { Settings } from '../settings.ts';

/** Excludes every other migrator of the same database while it is held. */
export interface MigrationLock {
  /** Waits until the lock is held, and logs the holder meanwhile; throws a MigrationProblem after the timeout. */
  acquire(): Promise<void>;
  release(): Promise<void>;
  /** Throws if the lock was lost, so another migrator may be running. */
  verify(): Promise<void>;
}

/** How long to wait for a lock, and where to log the wait. */
export interface LockWait {
  timeout: number;
  log: (text: string) => void;
}

/** Runs the work while holding the lock, and always releases it. */
export async function withLock<T>(lock: MigrationLock, work: (lock: MigrationLock) => Promise<T>): Promise<T> {
  await lock.acquire();
  try {
    return await work(lock);
  } finally {
    await lock.release();
  }
}

/** For a database in memory, which no other process can reach, and for `lock: 'none'`. */
export const NO_LOCK: MigrationLock = { acquire: async () => {}, release: async () => {}, verify: async () => {} };

export const lockLostError = () =>
  new MigrationProblem(
    'lock-timeout',
    'The lock was lost, and another migrator may be running. The migrations before that stay applied; nothing else was changed.',
  );

/** 50 to 250 ms: short enough to be prompt, with enough jitter that twenty waiters don't poll at once. */
export const pollDelay = () => 50 + Math.random() * 200;

export const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;

export type LockKind = NonNullable<Settings['lock']>;
