import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { destroySocket } from './pg-client.ts';

/**
 * Whether a PostgreSQL answers, from a connection of its own: a busy pool is no lost database, and while the database is
 * lost nobody has to wait for it to find out. A lost connection is opened again at once; only when that fails, or nothing
 * is heard for a second, is the database lost.
 */
export class Heartbeat {
  private state: 'unknown' | 'answers' | 'lost' = 'unknown';
  private client: Client | undefined;
  private readonly closing = new AbortController();
  private wakeUp = new AbortController();
  private readonly beating: Promise<void>;

  constructor(
    private readonly clientUrl: string,
    private readonly watched: { onSilence(): void; log(line: string): void },
  ) {
    this.beating = this.beat();
  }

  health(): { isReady: boolean; isLost: boolean } {
    return { isReady: this.state === 'answers', isLost: this.state === 'lost' };
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.wakeUp.abort();
    this.drop();
    await this.beating;
  }

  private async beat(): Promise<void> {
    while (!this.closing.signal.aborted) {
      const had = this.client;
      try {
        this.client ??= await this.connected();
        await this.heard(this.client.query('select 1'));
        this.turn('answers');
        await this.pause(BETWEEN_BEATS);
      } catch {
        this.drop();
        if (had && this.state === 'answers') continue;
        this.turn('lost');
        await this.pause(BETWEEN_TRIES * (1 + Math.random()));
      }
    }
  }

  private async connected(): Promise<Client> {
    const client = new Client({
      connectionString: this.clientUrl,
      connectionTimeoutMillis: SILENT_AFTER,
      application_name: 'conduit pulse',
    });
    client.on('error', () => this.wakeUp.abort());
    client.on('end', () => this.wakeUp.abort());
    try {
      await client.connect();
    } catch (error) {
      destroySocket(client);
      throw error;
    }
    if (!this.closing.signal.aborted) return client;
    destroySocket(client);
    throw new Error('closed');
  }

  /** Waits for the answer, not for ever: first says that it is late, then gives up on it and on every other connection. */
  private async heard(answer: Promise<unknown>): Promise<void> {
    const silence = Promise.withResolvers<never>();
    // What arrived while this process was busy is read before a timer that is due says that nothing came.
    const late = setTimeout(() => setImmediate(() => answered || this.turn('lost')), SILENT_AFTER);
    const giveUp = setTimeout(
      () => setImmediate(() => answered || silence.reject(new Error('silence'))),
      GIVE_UP_AFTER,
    );
    let answered = false;
    try {
      await Promise.race([answer, silence.promise]);
    } catch (error) {
      if (this.state === 'lost') this.watched.onSilence();
      throw error;
    } finally {
      answered = true;
      clearTimeout(late);
      clearTimeout(giveUp);
    }
  }

  private turn(state: 'answers' | 'lost'): void {
    if (this.state === state) return;
    this.state = state;
    this.watched.log(`The database ${state === 'answers' ? 'answers' : 'does not answer'}.`);
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

/** Milliseconds. Together they keep `/readyz` within two seconds of the truth. */
const BETWEEN_BEATS = 250;
const BETWEEN_TRIES = 50;
const SILENT_AFTER = 1_000;
const GIVE_UP_AFTER = 2_000;
