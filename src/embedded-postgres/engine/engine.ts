import { DataFolderError } from '../data-folder/paths.ts';
import type { TransactionStatus } from '../protocol.ts';
import type { EngineOptions, FromThread } from './engine-messages.ts';
import { EngineWorker } from './engine-worker.ts';

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
  private worker: EngineWorker | undefined;
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
    this.worker?.ref(); // idle, it must not keep a command from ending; at work, it must
    this.worker?.tell({ kind: 'run', unit: unit.bytes, endsReady: unit.endsReady });
    return settle.promise;
  }

  /** More of a COPY. Data that flow are progress: the deadline starts again. */
  feed(bytes: Uint8Array): void {
    this.worker?.feed(bytes);
    this.watch();
  }

  /** Ends the unit under way, if any, in the only way there is: WASM hears no signal, so its thread ends. */
  cancel(code: string, reason: string): void {
    if (this.running !== undefined) void this.restart(code, reason);
  }

  async dump(): Promise<Buffer> {
    this.dumped = Promise.withResolvers<Buffer>();
    this.worker?.ref();
    this.worker?.tell({ kind: 'dump' });
    try {
      return await this.dumped.promise;
    } finally {
      this.worker?.unref();
    }
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return;
    const wasOpen = this.state === 'open';
    this.state = 'closed';
    clearTimeout(this.retry);
    this.opened.promise.catch(() => {});
    this.opened.reject(new EngineStopped('57P01', 'The embedded database is closed.'));
    if (wasOpen && this.running === undefined && this.worker !== undefined) {
      this.closing = Promise.withResolvers<void>();
      this.worker.ref();
      this.worker?.tell({ kind: 'close' });
      const patience = setTimeout(() => this.closing?.resolve(), 5000);
      await this.closing.promise;
      clearTimeout(patience);
    }
    await this.endThread('57P01', 'The embedded database was closed.');
  }

  /** Ends it where it stands, without a last write. */
  async abandon(code: string, reason: string): Promise<void> {
    this.state = 'closed';
    clearTimeout(this.retry);
    this.opened.promise.catch(() => {});
    this.opened.reject(new EngineStopped(code, reason));
    await this.endThread(code, reason);
  }

  private launch(): void {
    this.worker = new EngineWorker(this.options, (worker, said) => this.hear(worker, said));
  }

  private hear(worker: EngineWorker, said: FromThread): void {
    if (worker !== this.worker) return;
    if (said.kind === 'open') this.isOpen(worker);
    else if (said.kind === 'output') this.pass(worker, said.bytes);
    else if (said.kind === 'hungry') this.running?.unit.onHungry?.();
    else if (said.kind === 'done')
      this.finish()?.settle.resolve({ status: said.status, tags: said.tags, failed: said.failed });
    else if (said.kind === 'dumped') this.dumped?.resolve(Buffer.from(said.tar));
    else if (said.kind === 'closed') this.closing?.resolve();
    else void this.broke(said.reason);
  }

  private isOpen(worker: EngineWorker): void {
    worker.unref();
    this.state = 'open';
    this.generation += 1;
    this.failures = 0;
    this.lastFault = undefined;
    this.opened.resolve();
    if (this.options.folder !== 'memory') delete this.options.loadDataDir; // the folder has its data now
  }

  private pass(worker: EngineWorker, bytes: Uint8Array): void {
    this.running?.unit.onOutput(Buffer.from(bytes.buffer), () => worker.taken(bytes.length));
  }

  private finish() {
    const ended = this.running;
    clearTimeout(this.watchdog);
    if (ended !== undefined) this.worker?.unref();
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

  private async broke(reason: string): Promise<void> {
    if (this.state === 'closed') return;
    if (this.state === 'starting') {
      await this.endThread('57P03', reason);
      this.state = 'closed';
      const { folder } = this.options;
      const wish = `If it is damaged, restore a copy of it, or a dump into a new folder.`;
      this.opened.reject(new DataFolderError(`The embedded database in ${folder} does not open: ${reason}\n${wish}`));
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
    const { worker } = this;
    this.worker = undefined;
    this.finish()?.settle.reject(new EngineStopped(code, reason));
    this.dumped?.promise.catch(() => {});
    this.dumped?.reject(new EngineStopped(code, reason));
    await worker?.end();
  }
}
