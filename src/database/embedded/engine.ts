import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type EngineOptions, FED, type FromThread, TAKEN, type ThreadData, type ToThread } from './engine-messages.ts';
import type { TransactionStatus } from './messages.ts';

/** The engine stopped while, or before, it ran a unit; `code` is the SQLSTATE to tell the client. */
export class EngineStopped extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Unit {
  bytes: Uint8Array;
  /** Whether PostgreSQL answers it with ReadyForQuery: all but messages that end in Flush. */
  endsReady: boolean;
  /** Milliseconds PostgreSQL may work on it; 0 for as long as it likes. */
  deadline: number;
  onOutput(bytes: Buffer, taken: () => void): void;
  /** PostgreSQL wants more of the COPY that this unit began: answer with `engine.feed`. */
  onHungry?(): void;
}

export interface Outcome {
  status: TransactionStatus;
  /** The command tags of what ran, such as `INSERT 0 1` or `SET`. */
  tags: string[];
  /** Whether PostgreSQL reported an error. */
  failed: boolean;
}

export type EngineState = 'starting' | 'open' | 'restarting' | 'closed';

/** PGlite in its thread, watched: a unit past its deadline, or a broken module, ends the thread, and a new one starts. */
export class Engine {
  state: EngineState = 'starting';
  restarts = 0;
  /** Counts threads: what a session keeps inside PostgreSQL is gone when it has changed. */
  generation = 0;
  /** When the unit under way began, or since when nothing is under way. */
  since = Date.now();
  lastFault: string | undefined;
  private thread: Worker | undefined;
  private feedPort: MessagePort | undefined;
  private counters = new Int32Array(new SharedArrayBuffer(8));
  private running: { unit: Unit; settle: PromiseWithResolvers<Outcome> } | undefined;
  private watchdog: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  private opened = Promise.withResolvers<void>();
  private dumped: PromiseWithResolvers<Buffer> | undefined;
  private closing: PromiseWithResolvers<void> | undefined;
  private failures = 0;
  private readonly options: EngineOptions;
  private readonly log: (line: string) => void;

  constructor(options: EngineOptions, log: (line: string) => void) {
    this.options = { ...options };
    this.log = log;
  }

  get isBusy(): boolean {
    return this.running !== undefined;
  }

  /** The first start: a folder that does not open fails here, and is not tried again. */
  async start(): Promise<void> {
    const opened = this.opened.promise;
    this.launch();
    await opened;
  }

  /** Waits while the engine restarts, but not for ever. */
  async whenOpen(patience: number): Promise<void> {
    if (this.state === 'open') return;
    if (this.state === 'closed') throw new EngineStopped('57P01', 'The embedded database is closed.');
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const why = this.lastFault === undefined ? '' : ` (${this.lastFault})`;
      late.reject(new EngineStopped('57P03', `The embedded database is restarting${why}.`));
    }, patience);
    try {
      await Promise.race([this.opened.promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs one unit; the caller sees to it that there is one at a time. */
  run(unit: Unit): Promise<Outcome> {
    if (this.state !== 'open')
      return Promise.reject(new EngineStopped('57P03', 'The embedded database is restarting.'));
    if (this.running !== undefined)
      return Promise.reject(new Error('A unit is under way: the engine runs one at a time.'));
    const settle = Promise.withResolvers<Outcome>();
    this.running = { unit, settle };
    this.since = Date.now();
    this.watch();
    this.thread?.ref(); // idle, it must not keep a command from ending; at work, it must
    this.tell({ kind: 'run', unit: unit.bytes, endsReady: unit.endsReady });
    return settle.promise;
  }

  /** More of a COPY. Data that flow are progress: the deadline starts again. */
  feed(bytes: Uint8Array): void {
    this.feedPort?.postMessage(bytes);
    Atomics.add(this.counters, FED, 1);
    Atomics.notify(this.counters, FED);
    this.watch();
  }

  /** Ends the unit under way, if any, in the only way there is: WASM hears no signal, so its thread ends. */
  cancel(code: string, reason: string): void {
    if (this.running !== undefined) void this.restart(code, reason);
  }

  async dump(): Promise<Buffer> {
    this.dumped = Promise.withResolvers<Buffer>();
    this.thread?.ref();
    this.tell({ kind: 'dump' });
    try {
      return await this.dumped.promise;
    } finally {
      this.thread?.unref();
    }
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return;
    const wasOpen = this.state === 'open';
    this.state = 'closed';
    clearTimeout(this.retry);
    this.opened.promise.catch(() => {});
    this.opened.reject(new EngineStopped('57P01', 'The embedded database is closed.'));
    if (wasOpen && this.running === undefined && this.thread !== undefined) {
      this.closing = Promise.withResolvers<void>();
      this.thread.ref();
      this.tell({ kind: 'close' });
      const patience = setTimeout(() => this.closing?.resolve(), 5000);
      await this.closing.promise;
      clearTimeout(patience);
    }
    await this.endThread('57P01', 'The embedded database was closed.');
  }

  private launch(): void {
    const { port1, port2 } = new MessageChannel();
    const signals = new SharedArrayBuffer(8);
    const data: ThreadData = { ...this.options, feed: port2, signals };
    // Next to this file under its own ending: .ts from the sources, .js when built.
    const file = new URL(
      import.meta.url.endsWith('.ts') ? './engine-thread.ts' : './engine-thread.js',
      import.meta.url,
    );
    const thread = new Worker(file, {
      workerData: data,
      transferList: [port2],
      name: 'embedded database',
      // The parent's flags can be such as no thread takes (--input-type); they're needed only where Node reads no TypeScript.
      execArgv: process.features.typescript === false && file.pathname.endsWith('.ts') ? process.execArgv : [],
    });
    this.thread = thread;
    this.feedPort = port1;
    this.counters = new Int32Array(signals);
    port1.unref();
    thread.on('message', (said: FromThread) => this.hear(thread, said));
    thread.on('error', (error) => void this.broke(thread, String(error)));
    thread.on('exit', () => void this.broke(thread, 'its thread ended'));
  }

  private hear(thread: Worker, said: FromThread): void {
    if (thread !== this.thread) return;
    if (said.kind === 'open') this.isOpen(thread);
    else if (said.kind === 'output')
      this.running?.unit.onOutput(Buffer.from(said.bytes.buffer), this.takenBy(said.bytes.length));
    else if (said.kind === 'hungry') this.running?.unit.onHungry?.();
    else if (said.kind === 'done')
      this.finish()?.settle.resolve({ status: said.status, tags: said.tags, failed: said.failed });
    else if (said.kind === 'dumped') this.dumped?.resolve(Buffer.from(said.tar));
    else if (said.kind === 'closed') this.closing?.resolve();
    else void this.broke(thread, said.reason);
  }

  private isOpen(thread: Worker): void {
    thread.unref();
    this.state = 'open';
    this.generation += 1;
    this.failures = 0;
    this.lastFault = undefined;
    this.opened.resolve();
    if (this.options.folder !== 'memory') delete this.options.loadFrom; // the folder has its data now
  }

  private takenBy(length: number): () => void {
    const counters = this.counters;
    return () => {
      Atomics.add(counters, TAKEN, length);
      Atomics.notify(counters, TAKEN);
    };
  }

  private finish() {
    const ended = this.running;
    clearTimeout(this.watchdog);
    if (ended !== undefined) this.thread?.unref();
    this.running = undefined;
    this.since = Date.now();
    return ended;
  }

  private watch(): void {
    clearTimeout(this.watchdog);
    const deadline = this.running?.unit.deadline ?? 0;
    if (deadline <= 0) return;
    this.watchdog = setTimeout(() => {
      void this.restart('57014', `The statement was ended after ${deadline} ms, the embedded database's deadline.`);
    }, deadline);
    this.watchdog.unref();
  }

  private async broke(thread: Worker, reason: string): Promise<void> {
    if (thread !== this.thread || this.state === 'closed') return;
    if (this.state === 'starting') {
      await this.endThread('57P03', reason);
      this.state = 'closed';
      this.opened.reject(new Error(`The embedded database in ${this.options.folder} does not open: ${reason}`));
      return;
    }
    await this.restart('57P02', `The embedded database stopped and recovers: ${reason}`);
  }

  private async restart(code: string, reason: string): Promise<void> {
    if (this.state === 'closed') return;
    if (this.state === 'open') this.opened = Promise.withResolvers<void>();
    this.state = 'restarting';
    this.restarts += 1;
    this.lastFault = reason;
    this.log(`embedded database: ${reason} Restarting.`);
    await this.endThread(code, reason);
    // At once the first time; a folder that still does not open (a full disk) is tried again, ever more slowly.
    const pause = this.failures === 0 ? 0 : Math.min(2000, 100 * 2 ** this.failures);
    this.failures += 1;
    this.retry = setTimeout(() => this.launch(), pause);
  }

  /** The thread must be gone before the next one opens the folder. */
  private async endThread(code: string, reason: string): Promise<void> {
    const thread = this.thread;
    this.thread = undefined;
    this.finish()?.settle.reject(new EngineStopped(code, reason));
    this.dumped?.promise.catch(() => {});
    this.dumped?.reject(new EngineStopped(code, reason));
    await thread?.terminate();
    this.feedPort?.close();
  }

  private tell(asked: ToThread): void {
    this.thread?.postMessage(asked);
  }
}
