import { setFlagsFromString } from 'node:v8';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import {
  ACKNOWLEDGED,
  COPY_SENT,
  type EngineOptions,
  type FromThread,
  type ThreadData,
  type ToThread,
} from './engine-messages.ts';

/** One thread that runs PGlite. It receives messages, and while it is blocked, waits on counters in shared memory. */
export class EngineWorker {
  private readonly thread: Worker;
  private readonly copyPort: MessagePort;
  private readonly counters: Int32Array;

  constructor(options: EngineOptions, onMessage: (worker: EngineWorker, message: FromThread) => void) {
    setFlagsFromString(OPTIMIZE_LATER);
    const { port1, port2 } = new MessageChannel();
    const counters = new SharedArrayBuffer(8);
    const data: ThreadData = { ...options, copyPort: port2, counters };
    // .ts from the sources, .js when built.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.thread = new Worker(new URL(`./engine-thread.${extension}`, import.meta.url), {
      workerData: data,
      transferList: [port2],
      name: 'embedded database',
      resourceLimits: { stackSizeMb: STACK_SIZE },
      // Threads refuse some flags of the parent (--input-type), so it gets them only where Node itself runs no TypeScript.
      execArgv: process.features.typescript === false && extension === 'ts' ? process.execArgv : [],
    });
    this.copyPort = port1;
    this.counters = new Int32Array(counters);
    port1.unref();
    // Under `node --watch`, Node reports in messages of its own what the thread has imported.
    this.thread.on('message', (message: FromThread | object) => 'kind' in message && onMessage(this, message));
    this.thread.on('error', (error) => onMessage(this, { kind: 'broken', reason: String(error) }));
    this.thread.on('exit', () => onMessage(this, { kind: 'broken', reason: 'its thread exited' }));
  }

  post(message: ToThread): void {
    this.thread.postMessage(message);
  }

  /** Sends more input of a running COPY. */
  feed(bytes: Uint8Array): void {
    this.copyPort.postMessage(bytes);
    this.add(COPY_SENT, 1);
  }

  /** Reports output that the client has received: the thread stops when too much is outstanding. */
  acknowledge(length: number): void {
    this.add(ACKNOWLEDGED, length);
  }

  /** Keeps the process alive while the thread works. */
  ref(): void {
    this.thread.ref();
  }

  /** Lets the process exit while the thread is idle. */
  unref(): void {
    this.thread.unref();
  }

  async terminate(): Promise<void> {
    await this.thread.terminate();
    this.copyPort.close();
  }

  private add(counter: number, count: number): void {
    Atomics.add(this.counters, counter, count);
    Atomics.notify(this.counters, counter);
  }
}

/**
 * How much a WebAssembly function must run before V8 optimizes it; the default is a twentieth of this. Startup code seldom
 * runs again, and V8 needs a second and 600 MB for one large function of PostgreSQL.
 */
const OPTIMIZE_LATER = '--wasm-tiering-budget=260000000';

/** Megabytes: deep nesting must reach PostgreSQL's limit, an error, before V8's, which ends the engine. */
const STACK_SIZE = 32;
