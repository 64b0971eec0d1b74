import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';

/**
 * Starts and supervises worker processes. Each runs the same server with WEB_CONCURRENCY=1. A worker that dies is replaced; all
 * of them exit with this process, however it ends.
 */
export class Workers {
  private count = 0;
  private isClosing = false;
  private restarting: Promise<void> | undefined;
  /** Times of recent exits. */
  private exits: number[] = [];
  readonly listening = new Set<Worker>();
  private readonly stopping = new Set<Worker>();

  constructor(
    private readonly variables: NodeJS.ProcessEnv,
    /** Milliseconds a worker has to shut down before it is killed. */
    private readonly shutdownTimeout: number,
    private readonly log: Pick<FastifyBaseLogger, 'info' | 'error'>,
  ) {}

  /** Resolves when all workers listen; rejects if one exits before. */
  async start(count: number): Promise<void> {
    this.count = count;
    await Promise.all(Array.from({ length: count }, () => this.fork()));
  }

  /** Rolling restart: a worker stops only once its replacement listens. If one does not start, the old workers stay. */
  restart(): Promise<void> {
    this.restarting ??= this.replaceAll().finally(() => {
      this.restarting = undefined;
      for (let missing = this.missing; missing > 0; missing -= 1) void this.replace();
    });
    return this.restarting;
  }

  /** Workers finish the requests in progress. */
  async close(): Promise<void> {
    this.isClosing = true;
    await Promise.all(all().map((worker) => this.stop(worker)));
  }

  private async replaceAll(): Promise<void> {
    for (const worker of all()) {
      if (this.isClosing) return;
      if (worker.isDead()) continue;
      try {
        await this.fork();
      } catch (error) {
        return this.log.error({ err: error }, 'Restart aborted: a new worker failed to start');
      }
      await this.stop(worker);
    }
    this.log.info('All workers restarted');
  }

  /** Resolves when the worker listens, or was stopped before it did. */
  private fork(): Promise<void> {
    const worker = cluster.fork(this.variables);
    rescueConnectionNotReceived(worker, () => this.othersServe(worker));
    return new Promise((resolve, reject) => {
      worker.once('listening', () => {
        this.listening.add(worker);
        resolve();
      });
      worker.once('exit', (code, signal) => {
        const hasListened = this.listening.delete(worker);
        if (this.isClosing) return;
        if (this.stopping.delete(worker)) return resolve();
        if (!hasListened) return reject(new WorkerStartError(signal ?? code));
        this.log.error(`Worker ${worker.process.pid} exited with ${signal ?? code}, restarting`);
        void this.replace();
      });
    });
  }

  /** Backs off exponentially by the exits of the last minute, so that a crash loop does not use up the processor. */
  private async replace(): Promise<void> {
    for (;;) {
      const now = performance.now();
      this.exits = [...this.exits.filter((exit) => now - exit < 60_000), now];
      await sleep(Math.min(MAX_BACKOFF, MIN_BACKOFF * 2 ** (this.exits.length - 1)));
      if (this.isClosing || this.missing <= 0) return;
      try {
        return await this.fork();
      } catch (error) {
        this.log.error({ err: error }, 'Worker failed to start, retrying');
      }
    }
  }

  /** Workers that are starting count as present; those that are stopping do not. */
  private get missing(): number {
    return this.count - all().filter((worker) => !this.stopping.has(worker)).length;
  }

  private othersServe(than: Worker): boolean {
    return [...this.listening].some((worker) => worker !== than && worker.isConnected() && !this.stopping.has(worker));
  }

  private async stop(worker: Worker): Promise<void> {
    if (worker.isDead()) return;
    this.stopping.add(worker);
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const kill = setTimeout(() => worker.process.kill('SIGKILL'), this.shutdownTimeout);
    worker.send(SHUTDOWN, () => {}); // not a signal: a second one, after that of Ctrl-C, would force the exit
    await exited;
    clearTimeout(kill);
  }
}

export class WorkerStartError extends Error {
  constructor(exit: string | number) {
    super(`A worker exited with ${exit} before it listened; its output above says why.`);
  }
}

/** For workers. SIGHUP, which a terminal sends to every process, is left to the primary. */
export function onShutdownMessage(shutDown: () => void): void {
  process.on('SIGHUP', () => {});
  process.on('message', (message) => {
    if (message === SHUTDOWN) shutDown();
  });
}

/**
 * Node forgets a connection that is on its way to a worker when the worker exits, so its client would hang. It can only be
 * the last one sent, because the next follows once that is received. This replies in the worker's place that it refused
 * the connection: Node then sends it to another worker.
 */
function rescueConnectionNotReceived({ process: child }: Worker, othersServe: () => boolean): void {
  const send = child.send;
  let last: { seq: number; connection: { close(): void } } | undefined;
  child.send = (message: { act?: string; seq: number }, ...rest: unknown[]) => {
    if (message.act === 'newconn') last = { seq: message.seq, connection: rest[0] as { close(): void } };
    return Reflect.apply(send, child, [message, ...rest]);
  };
  // After 'close' the worker can reply no more: its channel is read to the end.
  child.once('close', () => {
    child.emit('disconnect'); // Node leaves this out if a connection was not received, and would choose the worker again
    if (!last) return;
    if (othersServe()) child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: last.seq, accepted: false });
    else last.connection.close();
  });
}

const SHUTDOWN = 'shutdown';

const all = () => Object.values(cluster.workers ?? {}) as Worker[];

const MIN_BACKOFF = 100;
const MAX_BACKOFF = 30_000;
