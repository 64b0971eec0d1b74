import { setFlagsFromString } from 'node:v8';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type EngineOptions, FED, type FromThread, TAKEN, type ThreadData, type ToThread } from './engine-messages.ts';

/** One thread with PGlite in it, and the ways to talk to it: messages, and counts that it sleeps on while it is blocked. */
export class EngineWorker {
  private readonly thread: Worker;
  private readonly feedPort: MessagePort;
  private readonly counters: Int32Array;

  constructor(options: EngineOptions, hear: (worker: EngineWorker, said: FromThread) => void) {
    setFlagsFromString(OPTIMIZE_LATER);
    const { port1, port2 } = new MessageChannel();
    const signals = new SharedArrayBuffer(8);
    const data: ThreadData = { ...options, feed: port2, signals };
    // Next to this file under its own ending: .ts from the sources, .js when built.
    const file = new URL(
      import.meta.url.endsWith('.ts') ? './engine-thread.ts' : './engine-thread.js',
      import.meta.url,
    );
    this.thread = new Worker(file, {
      workerData: data,
      transferList: [port2],
      name: 'embedded database',
      resourceLimits: { stackSizeMb: STACK },
      // The parent's flags can be such as no thread takes (--input-type); they're needed only where Node reads no TypeScript.
      execArgv: process.features.typescript === false && file.pathname.endsWith('.ts') ? process.execArgv : [],
    });
    this.feedPort = port1;
    this.counters = new Int32Array(signals);
    port1.unref();
    this.thread.on('message', (said: FromThread) => hear(this, said));
    this.thread.on('error', (error) => hear(this, { kind: 'broken', reason: String(error) }));
    this.thread.on('exit', () => hear(this, { kind: 'broken', reason: 'its thread ended' }));
  }

  tell(asked: ToThread): void {
    this.thread.postMessage(asked);
  }

  /** More of a COPY under way. */
  feed(bytes: Uint8Array): void {
    this.feedPort.postMessage(bytes);
    Atomics.add(this.counters, FED, 1);
    Atomics.notify(this.counters, FED);
  }

  /** Says that the client has taken so much of the output: the thread gets only so far ahead of it. */
  taken(length: number): void {
    Atomics.add(this.counters, TAKEN, length);
    Atomics.notify(this.counters, TAKEN);
  }

  /** At work, it must keep a command from ending. */
  ref(): void {
    this.thread.ref();
  }

  /** Idle, it must not. */
  unref(): void {
    this.thread.unref();
  }

  async end(): Promise<void> {
    await this.thread.terminate();
    this.feedPort.close();
  }
}

/**
 * How much a function of WebAssembly must have run before V8 optimizes it; its own figure is a twentieth of this. What
 * runs at the start seldom runs again, and one large function of PostgreSQL's takes V8 a second and 600 MB.
 */
const OPTIMIZE_LATER = '--wasm-tiering-budget=260000000';

/** Megabytes of stack: what is nested too deep must meet PostgreSQL's limit, an error, before V8's, which ends the engine. */
const STACK = 32;
