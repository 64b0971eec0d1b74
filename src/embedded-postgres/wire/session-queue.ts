import { SqlError } from '../protocol.ts';

/** Anything that can hold the one session. */
export interface SessionHolder {
  /** Milliseconds since it last did anything with the session it holds; 0 while it is active. */
  idleFor(): number;
  /** It was idle for too long while others wait. */
  evict(): void;
}

interface Waiter {
  holder: SessionHolder;
  acquired: PromiseWithResolvers<void>;
  timer: NodeJS.Timeout | undefined;
}

/** Hands the one session to one holder at a time, first come, first served. */
export class SessionQueue {
  private current: SessionHolder | undefined;
  private readonly waiters: Waiter[] = [];
  private idleCheck: NodeJS.Timeout | undefined;

  constructor(private readonly idleTimeout: number) {}

  get waiting(): number {
    return this.waiters.length;
  }

  get holder(): SessionHolder | undefined {
    return this.current;
  }

  /** Resolves once `holder` has the session; rejects with an SqlError after `timeout` milliseconds, unless 0. */
  acquire(holder: SessionHolder, timeout: number): Promise<void> {
    if (this.current === holder) return Promise.resolve();
    if (this.current === undefined) {
      this.current = holder;
      return Promise.resolve();
    }
    const waiter: Waiter = { holder, acquired: Promise.withResolvers<void>(), timer: undefined };
    if (timeout > 0) {
      const message = `The embedded database runs one transaction at a time, and others took more than ${timeout} ms.`;
      waiter.timer = setTimeout(() => this.reject(holder, new SqlError('55P03', message)), timeout);
      waiter.timer.unref();
    }
    this.waiters.push(waiter);
    this.idleCheck ??= setInterval(() => this.evictIfIdle(), IDLE_CHECK_INTERVAL).unref();
    return waiter.acquired.promise;
  }

  /** Removes `holder` from the queue, if it waits. */
  reject(holder: SessionHolder, error: Error): void {
    const index = this.waiters.findIndex((waiter) => waiter.holder === holder);
    const [waiter] = index < 0 ? [] : this.waiters.splice(index, 1);
    clearTimeout(waiter?.timer);
    waiter?.acquired.reject(error);
    this.stopIdleCheck();
  }

  release(holder: SessionHolder): void {
    if (this.current !== holder) return;
    const next = this.waiters.shift();
    clearTimeout(next?.timer);
    this.current = next?.holder;
    this.stopIdleCheck();
    next?.acquired.resolve();
  }

  private evictIfIdle(): void {
    if (this.current !== undefined && this.current.idleFor() >= this.idleTimeout) this.current.evict();
  }

  private stopIdleCheck(): void {
    if (this.waiters.length > 0) return;
    clearInterval(this.idleCheck);
    this.idleCheck = undefined;
  }
}

const IDLE_CHECK_INTERVAL = 100;
