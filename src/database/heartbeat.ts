import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';
import { destroySocket } from './pg-client.ts';

/**
 * Monitors whether PostgreSQL responds, over a connection of its own: a busy pool does not count as a lost database, and
 * requests need not wait to find out. A lost connection is reopened at once. The database counts as lost only when that
 * fails, or when there is no response for a second; after two, the connections of the pool are closed. A standby counts as
 * lost too, because requests write; after it, and after a failure, the next host is tried.
 */
export class Heartbeat {
  private state: State = 'unknown';
  private client: Client | undefined;
  /** Behind a pooler, the response to the heartbeat may wait for statements of other clients. */
  private isPooled = false;
  /** Milliseconds since the last response. */
  private silence = 0;
  private host = 0;
  private readonly closing = new AbortController();
  private wakeUp = new AbortController();
  private readonly running: Promise<void>;

  constructor(
    private readonly hosts: readonly [ClientConfig, ...ClientConfig[]],
    private readonly listener: HeartbeatListener,
  ) {
    this.running = this.run();
  }

  health(): { isReady: boolean; isLost: boolean; fault?: string } {
    const isLost = this.state === 'lost' || this.state === 'standby';
    return { isReady: this.state === 'available', isLost, ...(isLost && { fault: SENTENCES[this.state] }) };
  }

  /** Another connection had a response, so a pooler that lets the heartbeat wait is busy, not lost. */
  noteResponse(): void {
    if (this.isPooled) this.silence = 0;
  }

  /** Another connection could not write. */
  checkNow(): void {
    this.wakeUp.abort();
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
        await this.expectPrimary(this.client);
        if (this.state === 'standby') this.listener.disconnect(); // what was opened meanwhile may lead to the standby
        this.listener.useHost?.(this.hostConfig);
        this.setState('available');
        await this.pause(INTERVAL);
      } catch (error) {
        this.drop();
        const isStandby = error instanceof StandbyError;
        if (previous && this.state === 'available' && !isStandby) continue;
        const isSilent = error instanceof SilenceError && this.state === 'lost';
        if (isStandby || isSilent) this.listener.disconnect();
        this.setState(isStandby ? 'standby' : 'lost');
        this.host = (this.host + 1) % this.hosts.length;
        await this.pause(RECONNECT_INTERVAL * (1 + Math.random()));
      }
    }
  }

  private get hostConfig(): ClientConfig {
    return this.hosts[this.host] ?? this.hosts[0];
  }

  private async connect(): Promise<Client> {
    const { application_name = 'conduit' } = this.hostConfig;
    const client = new Client({ ...this.hostConfig, application_name: `${application_name} pulse` });
    client.on('error', () => this.wakeUp.abort());
    client.on('end', () => this.wakeUp.abort());
    try {
      await this.within({ [LOST_AFTER]: giveUp }, client.connect());
    } catch (error) {
      destroySocket(client);
      throw error;
    }
    if (!this.closing.signal.aborted) return client;
    destroySocket(client);
    throw new Error('closed');
  }

  /** Waits for a response: first reports it as late, then times out. */
  private async expectPrimary(client: Client): Promise<void> {
    const late = () => this.setState('lost');
    const due = this.isPooled
      ? { [POOLED_LOST_AFTER]: late, [POOLED_LOST_AFTER + LOST_AFTER]: giveUp }
      : { [LOST_AFTER]: late, [GIVE_UP_AFTER]: giveUp };
    const { rows } = await this.within(due, client.query(IS_STANDBY));
    const { pid, embedded, standby } = rows[0];
    // A pooler makes up the process id that it gives its clients, and so does the embedded server.
    this.isPooled = !embedded && pid !== (client as Client & { processID: number }).processID;
    if (standby) throw new StandbyError();
  }

  private setState(state: Exclude<State, 'unknown'>): void {
    if (this.state === state) return;
    this.state = state;
    this.listener.log(SENTENCES[state]);
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

  /**
   * Waits for the work, and does what is due after so many milliseconds of silence. Only time in which this process could
   * read a response counts: however long it was busy, as while it starts, that is one tick.
   */
  private async within<T>(due: Record<number, () => void>, work: Promise<T>): Promise<T> {
    const failed = Promise.withResolvers<never>();
    let isSettled = false;
    this.silence = 0;
    const tick = () => {
      if (isSettled) return;
      this.silence += TICK;
      try {
        due[this.silence]?.();
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
}

export interface HeartbeatListener {
  /** Closes the other connections: they do not respond, or lead to a standby. */
  disconnect(): void;
  /** The host that is the primary. */
  useHost?(host: ClientConfig): void;
  log(line: string): void;
}

type State = 'unknown' | 'available' | 'lost' | 'standby';

const SENTENCES: Record<State, string> = {
  unknown: 'The database has not answered yet.',
  available: 'The database answers.',
  lost: 'The database does not answer.',
  standby: 'The database is a standby, which cannot be written.',
};

class StandbyError extends Error {}
class SilenceError extends Error {}

const IS_STANDBY = `select pg_is_in_recovery() as standby, pg_backend_pid() as pid, version() like '%PGlite%' as embedded`;

function giveUp(): never {
  throw new SilenceError('timeout');
}

/** Milliseconds; the others are multiples of the first. With these values `/readyz` is at most two seconds out of date. */
const TICK = 50;
const INTERVAL = 250;
const RECONNECT_INTERVAL = 50;
const LOST_AFTER = 1_000;
const GIVE_UP_AFTER = 2_000;
/** Longer than any statement of the pool may take. */
const POOLED_LOST_AFTER = 12_000;
