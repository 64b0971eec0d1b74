import { DataFolderError } from '../data-folder/paths.ts';
import { SqlError, type TransactionStatus } from '../protocol.ts';
import type { EngineOptions, FromThread } from './engine-messages.ts';
import { EngineWorker } from './engine-worker.ts';

/** Wire messages for PostgreSQL to process together. */
export interface EngineRequest {
  bytes: Uint8Array;
  /** Whether PostgreSQL ends its response with ReadyForQuery: unless the last message is Flush. */
  expectsReady: boolean;
  /** Milliseconds PostgreSQL may take; 0 for no limit. */
  timeout: number;
  onOutput(bytes: Buffer, acknowledge: () => void): void;
  /** PostgreSQL needs more input for the COPY that this request started: send it with `engine.feed`. */
  onCopyRequest?(): void;
}

export interface EngineResult {
  status: TransactionStatus;
  /** Command tags, such as `INSERT 0 1` or `SET`. */
  tags: string[];
  /** Whether PostgreSQL reported an error. */
  failed: boolean;
}

export type EngineState = 'starting' | 'open' | 'restarting' | 'closed';

/** Runs PGlite in a thread, and restarts the thread when a request times out or the WebAssembly module breaks. */
export class Engine {
  state: EngineState = 'starting';
  restarts = 0;
  /** Increases with each restart, which loses the session state inside PostgreSQL. */
  generation = 0;
  lastError: string | undefined;
  private worker: EngineWorker | undefined;
  private running:
    | { request: EngineRequest; startedAt: number; result: PromiseWithResolvers<EngineResult> }
    | undefined;
  private timer: NodeJS.Timeout | undefined;
  private retry: NodeJS.Timeout | undefined;
  private opened = Promise.withResolvers<void>();
  private dumped: PromiseWithResolvers<Buffer> | undefined;
  private closed: PromiseWithResolvers<void> | undefined;
  private failures = 0;
  private readonly options: EngineOptions;

  constructor(
    options: EngineOptions,
    private readonly log: (line: string) => void,
  ) {
    this.options = { ...options };
  }

  /** Milliseconds that the running request has taken; 0 when idle. */
  get busyFor(): number {
    return this.running === undefined ? 0 : Date.now() - this.running.startedAt;
  }

  /** The first start: a folder that does not open fails here, without a retry. */
  async start(): Promise<void> {
    const opened = this.opened.promise;
    this.launch();
    await opened;
  }

  /** Waits while the engine restarts, up to `timeout` ms. */
  async untilOpen(timeout: number): Promise<void> {
    if (this.state === 'open') return;
    if (this.state === 'closed') throw new SqlError('57P01', 'The embedded database is closed.');
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const reason = this.lastError === undefined ? '' : ` (${this.lastError})`;
      late.reject(new SqlError('57P03', `The embedded database is restarting${reason}.`));
    }, timeout);
    try {
      await Promise.race([this.opened.promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs one request; callers must not run two at a time. */
  run(request: EngineRequest): Promise<EngineResult> {
    if (this.state !== 'open') return Promise.reject(new SqlError('57P03', 'The embedded database is restarting.'));
    if (this.running !== undefined) return Promise.reject(new Error('The engine runs one request at a time.'));
    const result = Promise.withResolvers<EngineResult>();
    this.running = { request, startedAt: Date.now(), result };
    this.startTimer();
    this.worker?.ref();
    this.worker?.post({ kind: 'run', bytes: request.bytes, expectsReady: request.expectsReady });
    return result.promise;
  }

  /** Sends more COPY input. Data that flows is progress, so the timeout starts again. */
  feed(bytes: Uint8Array): void {
    this.worker?.feed(bytes);
    this.startTimer();
  }

  /**
   * Ends the running request, if any, by ending the thread: WebAssembly receives no signals. All clients wait until the thread is
   * open again, so a request that ends within about that time may.
   */
  cancel(error: SqlError): void {
    const { running } = this;
    if (running === undefined) return;
    setTimeout(() => {
      if (this.running === running) void this.restart(error);
    }, CANCEL_DELAY).unref();
  }

  async dump(): Promise<Buffer> {
    this.dumped = Promise.withResolvers<Buffer>();
    this.worker?.ref();
    this.worker?.post({ kind: 'dump' });
    try {
      return await this.dumped.promise;
    } finally {
      this.worker?.unref();
    }
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return;
    const wasOpen = this.state === 'open';
    this.stop(new SqlError('57P01', 'The embedded database is closed.'));
    if (wasOpen && this.running === undefined && this.worker !== undefined) {
      this.closed = Promise.withResolvers<void>();
      this.worker.ref();
      this.worker.post({ kind: 'close' });
      const timer = setTimeout(() => this.closed?.resolve(), CLOSE_TIMEOUT);
      await this.closed.promise;
      clearTimeout(timer);
    }
    await this.endThread(new SqlError('57P01', 'The embedded database was closed.'));
  }

  /** Ends the thread at once, without a final write. */
  async abandon(error: SqlError): Promise<void> {
    this.stop(error);
    await this.endThread(error);
  }

  private stop(error: SqlError): void {
    this.state = 'closed';
    clearTimeout(this.retry);
    this.opened.promise.catch(() => {});
    this.opened.reject(error);
  }

  private launch(): void {
    this.worker = new EngineWorker(this.options, (worker, message) => this.onMessage(worker, message));
  }

  private onMessage(worker: EngineWorker, message: FromThread): void {
    if (worker !== this.worker) return;
    if (message.kind === 'open') this.onOpen(worker);
    else if (message.kind === 'output') {
      const { bytes } = message;
      this.running?.request.onOutput(Buffer.from(bytes.buffer), () => worker.acknowledge(bytes.length));
    } else if (message.kind === 'copyRequest') this.running?.request.onCopyRequest?.();
    else if (message.kind === 'done') {
      const { status, tags, failed } = message;
      this.endRequest()?.result.resolve({ status, tags, failed });
    } else if (message.kind === 'dumped') this.dumped?.resolve(Buffer.from(message.tar));
    else if (message.kind === 'closed') this.closed?.resolve();
    else void this.onBroken(message.reason);
  }

  private onOpen(worker: EngineWorker): void {
    worker.unref();
    this.state = 'open';
    this.generation += 1;
    this.failures = 0;
    this.lastError = undefined;
    this.opened.resolve();
    if (this.options.folder !== 'memory') delete this.options.loadDataDir; // the folder has the data now
  }

  private endRequest() {
    const ended = this.running;
    clearTimeout(this.timer);
    if (ended !== undefined) this.worker?.unref();
    this.running = undefined;
    return ended;
  }

  private startTimer(): void {
    clearTimeout(this.timer);
    const timeout = this.running?.request.timeout ?? 0;
    if (timeout <= 0) return;
    const message = `The statement was cancelled after its timeout of ${timeout} ms.`;
    this.timer = setTimeout(() => void this.restart(new SqlError('57014', message)), timeout).unref();
  }

  private async onBroken(reason: string): Promise<void> {
    if (this.state === 'closed') return;
    if (this.state === 'starting') {
      await this.endThread(new SqlError('57P03', reason));
      this.state = 'closed';
      const { folder } = this.options;
      const advice = 'If it is damaged, restore a copy of it, or restore a dump into a new folder.';
      this.opened.reject(new DataFolderError(`The embedded database in ${folder} does not open: ${reason}\n${advice}`));
      return;
    }
    await this.restart(new SqlError('57P02', `The embedded database crashed and recovers: ${reason}`));
  }

  private async restart(error: SqlError): Promise<void> {
    if (this.state === 'closed') return;
    if (this.state === 'open') this.opened = Promise.withResolvers<void>();
    this.state = 'restarting';
    this.restarts += 1;
    this.lastError = error.message;
    this.log(`embedded database: ${error.message} Restarting.`);
    await this.endThread(error);
    // Immediately the first time; a folder that still does not open (a full disk) is retried with a growing delay.
    const delay = this.failures === 0 ? 0 : Math.min(MAX_RETRY_DELAY, 100 * 2 ** this.failures);
    this.failures += 1;
    this.retry = setTimeout(() => this.launch(), delay);
  }

  /** The thread must have exited before the next one opens the folder. */
  private async endThread(error: SqlError): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    this.endRequest()?.result.reject(error);
    this.dumped?.promise.catch(() => {});
    this.dumped?.reject(error);
    await worker?.terminate();
  }
}

const CLOSE_TIMEOUT = 5000;
const CANCEL_DELAY = 1_000;
const MAX_RETRY_DELAY = 2000;
