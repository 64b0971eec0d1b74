import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';
import { destroySocket } from './pg-client.ts';

/**
 * Monitors whether PostgreSQL responds, over a connection of its own: a busy pool does not count as a lost database, and
 * requests need not wait to find out. A lost connection is reopened at once. The database counts as lost only when that
 * fails, or when there is no response for a second.
 */
export class Heartbeat {
  private state: 'unknown' | 'available' | 'lost' = 'unknown';
  private client: Client | undefined;
  private readonly closing = new AbortController();
  private wakeUp = new AbortController();
  private readonly running: Promise<void>;

  constructor(
    private readonly connection: ClientConfig,
    private readonly listener: { onTimeout(): void; log(line: string): void },
  ) {
    this.running = this.run();
  }

  health(): { isReady: boolean; isLost: boolean } {
    return { isReady: this.state === 'available', isLost: this.state === 'lost' };
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.wakeUp.abort();
    this.drop();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.closing.signal.aborted) {
      const previous = this.client;
      try {
        this.client ??= await this.connect();
        await this.expectResponse(this.client);
        this.setState('available');
        await this.pause(INTERVAL);
      } catch {
        this.drop();
        if (previous && this.state === 'available') continue;
        this.setState('lost');
        await this.pause(RECONNECT_INTERVAL * (1 + Math.random()));
      }
    }
  }

  private async connect(): Promise<Client> {
    const client = new Client({ ...this.connection, application_name: 'conduit pulse' });
    client.on('error', () => this.wakeUp.abort());
    client.on('end', () => this.wakeUp.abort());
    try {
      await within({ [LOST_AFTER]: giveUp }, client.connect());
    } catch (error) {
      destroySocket(client);
      throw error;
    }
    if (!this.closing.signal.aborted) return client;
    destroySocket(client);
    throw new Error('closed');
  }

  /** Waits for a response: first reports it as late, then times out, which closes the other connections too. */
  private async expectResponse(client: Client): Promise<void> {
    try {
      await within({ [LOST_AFTER]: () => this.setState('lost'), [GIVE_UP_AFTER]: giveUp }, client.query('select 1'));
    } catch (error) {
      if (this.state === 'lost') this.listener.onTimeout();
      throw error;
    }
  }

  private setState(state: 'available' | 'lost'): void {
    if (this.state === state) return;
    this.state = state;
    this.listener.log(`The database ${state === 'available' ? 'answers' : 'does not answer'}.`);
  }

  private drop(): void {
    if (this.client) destroySocket(this.client);
    this.client = undefined;
  }

  private async pause(milliseconds: number): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.wakeUp = new AbortController();
    await sleep(milliseconds, undefined, { signal: this.wakeUp.signal, ref: false }).catch(() => {});
  }
}

/**
 * Waits for the work, and does what is due after so many milliseconds. Only time in which this process could read a
 * response counts: however long it was busy, as while it starts, that is one tick.
 */
async function within<T>(due: Record<number, () => void>, work: Promise<T>): Promise<T> {
  const failed = Promise.withResolvers<never>();
  let isSettled = false;
  let waited = 0;
  const tick = () => {
    if (isSettled) return;
    waited += TICK;
    try {
      due[waited]?.();
    } catch (error) {
      failed.reject(error);
    }
  };
  // setImmediate, so that a response that arrived meanwhile is read first.
  const ticking = setInterval(() => setImmediate(tick), TICK);
  try {
    return await Promise.race([work, failed.promise]);
  } finally {
    isSettled = true;
    clearInterval(ticking);
  }
}

function giveUp(): never {
  throw new Error('timeout');
}

/** Milliseconds; the last three are multiples of the first. With these values `/readyz` is at most two seconds out of date. */
const TICK = 50;
const INTERVAL = 250;
const RECONNECT_INTERVAL = 50;
const LOST_AFTER = 1_000;
const GIVE_UP_AFTER = 2_000;
