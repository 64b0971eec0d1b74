import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { MigrationProblem } from '../problems.ts';
import { type LockWait, lockLostError, type MigrationLock, pollDelay, seconds } from './lock.ts';

/**
 * A lock file, for the embedded database: all its connections share one session, so an advisory lock excludes none.
 * O_EXCL creates it atomically; the holder's pid and start time distinguish a dead holder from a living one.
 */
export class FileLock implements MigrationLock {
  private held = false;

  /** `untilExit` keeps the lock until the process ends, because an engine inside the process continues to write. */
  constructor(
    private readonly path: string,
    private readonly wait: LockWait,
    private readonly untilExit: boolean,
  ) {}

  async acquire(): Promise<void> {
    if (this.held) return;
    const started = Date.now();
    const deadline = this.wait.timeout === 0 ? Infinity : started + this.wait.timeout;
    for (let nextLog = started + 300; !this.create(); ) {
      const holder = readHolder(this.path);
      if (holder && !isAlive(holder) && this.removeDead(holder)) continue;
      if (Date.now() >= deadline) {
        throw new MigrationProblem(
          'lock-timeout',
          `Another migrator holds the lock. Gave up after ${seconds(this.wait.timeout)} (MIGRATION_LOCK_TIMEOUT).\n  held by ${describe(holder)} (${this.path})\nNothing was changed.`,
        );
      }
      if (Date.now() >= nextLog) {
        this.wait.log(
          `Another migrator holds the lock (${describe(holder)}); waiting for ${seconds(Date.now() - started)}`,
        );
        nextLog = Date.now() + 10_000;
      }
      await sleep(pollDelay());
    }
    this.held = true;
  }

  async release(): Promise<void> {
    if (!this.untilExit) this.remove();
    else if (this.held) process.once('exit', () => this.remove());
  }

  async verify(): Promise<void> {
    if (readHolder(this.path)?.pid !== process.pid) throw lockLostError();
  }

  private create(): boolean {
    try {
      const file = openSync(this.path, 'wx');
      writeSync(file, JSON.stringify({ pid: process.pid, started: startOf(process.pid), host: hostname() }));
      closeSync(file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  private remove(): void {
    if (!this.held) return;
    this.held = false;
    unlinkSync(this.path);
  }

  /**
   * Removes the file of a dead holder. Of two waiters that see the same dead holder, the slower one would remove the
   * lock that the faster one has just created: so the check and the removal happen under a guard directory.
   */
  private removeDead(dead: Holder): boolean {
    const guard = `${this.path}.takeover`;
    try {
      mkdirSync(guard);
    } catch {
      // The guard is held for microseconds; one that is seconds old is left from a killed process.
      if (ageOf(guard) > 5_000) rmdirSync(guard);
      return false;
    }
    try {
      const holder = readHolder(this.path);
      if (holder?.pid !== dead.pid || holder.started !== dead.started) return false;
      unlinkSync(this.path);
      return true;
    } finally {
      rmdirSync(guard);
    }
  }
}

interface Holder {
  pid: number;
  /** When the process started, in clock ticks since boot: a pid is reused, the pair is not. */
  started: string;
  host: string;
}

/** The holder; undefined if the file is gone or was created a moment ago. A pid of 0 stands for a writer that was killed. */
function readHolder(path: string): Holder | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    if (text) return JSON.parse(text) as Holder;
    // Created but not written: normal for a moment, a dead holder after that.
    return ageOf(path) > 5_000 ? { pid: 0, started: '', host: hostname() } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started, host }: Holder): boolean {
  if (host !== hostname()) return true;
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const start = startOf(pid);
  return !start || !started || start === started;
}

/** Field 22 of /proc/<pid>/stat; empty without /proc, where only the pid is compared. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie still has a pid and a start time, but will never release the lock.
    return fields[0] === 'Z' ? 'zombie' : (fields[19] ?? '');
  } catch {
    return '';
  }
}

function ageOf(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

const describe = (holder: Holder | undefined) =>
  holder ? `process ${holder.pid} on ${holder.host}` : 'a process that is starting';
