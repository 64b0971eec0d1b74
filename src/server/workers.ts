import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';

/**
 * The processes that serve while this one looks after them: each is the same server, told by variables that it is the
 * only one. One that dies is replaced; all go with this process, however it ends.
 */
export class Workers {
  private count = 0;
  private isClosing = false;
  private restarting: Promise<void> | undefined;
  private deaths: number[] = [];
  /** Those that listen. */
  readonly serving = new Set<Worker>();
  private readonly dismissed = new Set<Worker>();

  constructor(
    private readonly variables: NodeJS.ProcessEnv,
    /** Milliseconds until a worker that does not leave is ended. */
    private readonly patience: number,
    private readonly log: Pick<FastifyBaseLogger, 'info' | 'error'>,
  ) {}

  /** Answers when all of them listen; throws when one ends instead. */
  async start(count: number): Promise<void> {
    this.count = count;
    await Promise.all(Array.from({ length: count }, () => this.begin()));
  }

  /** One after the other, each only once its successor listens. Where that can't, the old ones go on. */
  restart(): Promise<void> {
    this.restarting ??= this.replaceAll().finally(() => {
      this.restarting = undefined;
      for (let missing = this.missing; missing > 0; missing -= 1) void this.replace();
    });
    return this.restarting;
  }

  /** Every worker finishes what it is at. */
  async close(): Promise<void> {
    this.isClosing = true;
    await Promise.all(all().map((worker) => this.dismiss(worker)));
  }

  private async replaceAll(): Promise<void> {
    for (const worker of all()) {
      if (this.isClosing) return;
      if (worker.isDead()) continue;
      try {
        await this.begin();
      } catch (error) {
        return this.log.error({ err: error }, 'The restart ends here: a new worker does not start');
      }
      await this.dismiss(worker);
    }
    this.log.info('All workers were restarted');
  }

  /** Answers when it listens, or was told to leave before it did. */
  private begin(): Promise<void> {
    const worker = cluster.fork(this.variables);
    hangUpWhatItNeverTook(worker);
    return new Promise((resolve, reject) => {
      worker.once('listening', () => {
        this.serving.add(worker);
        resolve();
      });
      worker.once('exit', (code, signal) => {
        const hasServed = this.serving.delete(worker);
        if (this.isClosing) return;
        if (this.dismissed.delete(worker)) return resolve();
        if (!hasServed) return reject(new WorkerStartError(signal ?? code));
        this.log.error(`Worker ${worker.process.pid} ended with ${signal ?? code}; another takes its place`);
        void this.replace();
      });
    });
  }

  /** The more of them died in the last minute, the longer until the next: what kills them at once must not keep us busy. */
  private async replace(): Promise<void> {
    for (;;) {
      const now = performance.now();
      this.deaths = [...this.deaths.filter((death) => now - death < 60_000), now];
      await sleep(Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** (this.deaths.length - 1)));
      if (this.isClosing || this.missing <= 0) return;
      try {
        return await this.begin();
      } catch (error) {
        this.log.error({ err: error }, 'A worker does not start; tried again later');
      }
    }
  }

  /** Who starts counts as there; who was told to leave does not. */
  private get missing(): number {
    return this.count - all().filter((worker) => !this.dismissed.has(worker)).length;
  }

  private async dismiss(worker: Worker): Promise<void> {
    if (worker.isDead()) return;
    this.dismissed.add(worker);
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    const kill = setTimeout(() => worker.process.kill('SIGKILL'), this.patience);
    worker.send(DISMISSED, () => {}); // no signal: Ctrl-C has sent every process one already, and a second one would cut it short
    await gone;
    clearTimeout(kill);
  }
}

export class WorkerStartError extends Error {
  constructor(end: string | number) {
    super(`A worker ended with ${end} before it listened; what it said above says why.`);
  }
}

/** Has a worker act on its dismissal. What a terminal says to all processes at once is for the first one to act on. */
export function onShutdownMessage(act: () => void): void {
  process.on('SIGHUP', () => {});
  process.on('message', (message) => {
    if (message === DISMISSED) act();
  });
}

/**
 * Node leaves the connection open that was on its way to a worker when that was killed, and its client waits for ever. It
 * can only be the last one: the next is handed over when that was taken.
 */
function hangUpWhatItNeverTook({ process: child }: Worker): void {
  const send = child.send;
  let connection: { close(): void } | undefined;
  child.send = (message: { act?: string }, ...rest: unknown[]) => {
    if (message.act === 'newconn') connection = rest[0] as { close(): void };
    return Reflect.apply(send, child, [message, ...rest]);
  };
  child.once('exit', (code) => {
    if (code !== 0) connection?.close(); // who leaves in good order has given back what it did not take
  });
}

const DISMISSED = 'dismissed';

const all = () => Object.values(cluster.workers ?? {}) as Worker[];

const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;
