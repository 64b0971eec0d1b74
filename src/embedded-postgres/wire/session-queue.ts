/** Who may use the one session there is: first come, first served, and nobody waits for ever. */

export interface Holder {
  /** Milliseconds since it last did anything while it holds the session; 0 while it does. */
  idleFor(): number;
  /** Another waits, and this one has done nothing for too long. */
  evict(): void;
}

export class TurnRefused extends Error {}

interface Waiter {
  holder: Holder;
  turn: PromiseWithResolvers<void>;
  timer: NodeJS.Timeout | undefined;
}

export class Turns {
  private current: Holder | undefined;
  private readonly waiters: Waiter[] = [];
  private patrol: NodeJS.Timeout | undefined;
  private readonly idleLimit: number;

  constructor({ idleLimit }: { idleLimit: number }) {
    this.idleLimit = idleLimit;
  }

  get waiting(): number {
    return this.waiters.length;
  }

  get holder(): Holder | undefined {
    return this.current;
  }

  /** Resolves once `holder` has the session; rejects with TurnRefused after `patience` milliseconds, if that is not 0. */
  take(holder: Holder, patience: number): Promise<void> {
    if (this.current === holder) return Promise.resolve();
    if (this.current === undefined) {
      this.current = holder;
      return Promise.resolve();
    }
    const waiter: Waiter = { holder, turn: Promise.withResolvers<void>(), timer: undefined };
    if (patience > 0) {
      waiter.timer = setTimeout(() => this.refuse(holder, `no turn came within ${patience} ms`), patience);
      waiter.timer.unref();
    }
    this.waiters.push(waiter);
    this.patrol ??= setInterval(() => this.lookForIdle(), 100).unref();
    return waiter.turn.promise;
  }

  /** Takes `holder` out of the queue. */
  refuse(holder: Holder, reason: string): void {
    const at = this.waiters.findIndex((waiter) => waiter.holder === holder);
    const [waiter] = at < 0 ? [] : this.waiters.splice(at, 1);
    clearTimeout(waiter?.timer);
    waiter?.turn.reject(new TurnRefused(reason));
    this.restIfNobodyWaits();
  }

  give(holder: Holder): void {
    if (this.current !== holder) return;
    const next = this.waiters.shift();
    clearTimeout(next?.timer);
    this.current = next?.holder;
    this.restIfNobodyWaits();
    next?.turn.resolve();
  }

  private lookForIdle(): void {
    if (this.current !== undefined && this.current.idleFor() >= this.idleLimit) this.current.evict();
  }

  private restIfNobodyWaits(): void {
    if (this.waiters.length > 0) return;
    clearInterval(this.patrol);
    this.patrol = undefined;
  }
}
