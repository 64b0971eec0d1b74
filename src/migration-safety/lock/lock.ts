import { MigrationProblem } from '../problems.ts';
import type { Settings } from '../settings.ts';

/** Keeps every other migrator of the same database out while held. */
export interface MigrationLock {
  /** Waits, telling about the holder, until the lock is held; a MigrationProblem when the bound is reached. */
  acquire(): Promise<void>;
  release(): Promise<void>;
  /** Throws when it was lost meanwhile, before another one can be at work. */
  verify(): Promise<void>;
}

/** What a lock needs to know while it waits. */
export interface LockWait {
  timeout: number;
  tell: (text: string) => void;
}

/** Runs the work while holding the lock, and lets go of it whatever happens. */
export async function withLock<T>(lock: MigrationLock, work: (lock: MigrationLock) => Promise<T>): Promise<T> {
  await lock.acquire();
  try {
    return await work(lock);
  } finally {
    await lock.release();
  }
}

/** For a database in memory, which nobody else can reach, and for those who know better. */
export const NO_LOCK: MigrationLock = { acquire: async () => {}, release: async () => {}, verify: async () => {} };

export const lockLostError = () =>
  new MigrationProblem(
    'lock-timeout',
    'The lock was lost, and another migrator may be at work by now. What is applied so far stays; nothing more was changed.',
  );

/** 50 to 250 ms: short enough to be prompt, uneven enough that twenty waiters don't knock at once. */
export const pollDelay = () => 50 + Math.random() * 200;

export const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;

export type LockKind = NonNullable<Settings['lock']>;
