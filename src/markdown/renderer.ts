import { Worker } from 'node:worker_threads';
import type { Rendering, RenderOptions } from './render.ts';
import type { FromRenderThread, ToRender } from './render-thread.ts';
import { MarkdownRefusal } from './syntax/limits.ts';

/**
 * Renders in a thread of its own, so that no text, however long, keeps the event loop from serving. Rejects with a
 * MarkdownRefusal if the text is too complex, or takes so long that rendering it is ended.
 */
export const renderInThread = (source: string, options: RenderOptions): Promise<Rendering> =>
  renderer.render(source, options);

/** Starts the thread, which takes a moment, before the first text is written. */
export const startRenderer = (): void => renderer.start();

interface Job {
  readonly message: ToRender;
  resolve(rendering: Rendering): void;
  reject(error: unknown): void;
}

/** Milliseconds. The limits of limits.ts refuse a text long before this; it bounds what they overlook, on a busy machine too. */
const TIME_LIMIT = 5_000;
const MEGABYTES = 256;

export class Renderer {
  private readonly waiting: Job[] = [];
  private current: Job | null = null;
  private thread: Worker | null = null;
  private isReady = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly timeLimit: number) {}

  render(source: string, options: RenderOptions): Promise<Rendering> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ message: { source, options }, resolve, reject });
      this.next();
    });
  }

  start(): void {
    if (this.thread) return;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const thread = new Worker(new URL(`./render-thread.${extension}`, import.meta.url), {
      name: 'markdown',
      resourceLimits: { maxOldGenerationSizeMb: MEGABYTES },
      execArgv: process.features.typescript === false && extension === 'ts' ? process.execArgv : [],
    });
    this.thread = thread;
    // Under `node --watch`, Node reports in messages of its own what the thread has imported.
    thread.on('message', (message: FromRenderThread | object) => 'kind' in message && this.receive(message));
    thread.once('error', (error) => this.lose(thread, error));
    thread.once('exit', () => this.lose(thread, new Error('The Markdown thread exited.')));
    thread.unref();
  }

  /** One text at a time, so that the time limit is that of one text. */
  private next(): void {
    if (this.current || this.waiting.length === 0) return;
    this.start();
    this.thread?.ref();
    if (!this.isReady) return;
    this.current = this.waiting.shift() as Job;
    this.thread?.postMessage(this.current.message);
    this.timer = setTimeout(() => void this.thread?.terminate(), this.timeLimit);
  }

  private receive(message: FromRenderThread): void {
    if (message.kind === 'ready') this.isReady = true;
    else {
      const { resolve, reject } = this.finish() as Job;
      if (message.kind === 'rendered') resolve(message.rendering);
      else reject(message.kind === 'refused' ? new MarkdownRefusal(message.reason, message.limit) : message.error);
    }
    this.thread?.unref();
    this.next();
  }

  /** The thread ended: for want of memory or time if it was rendering, and for a fault of the program if it never started. */
  private lose(thread: Worker, error: unknown): void {
    if (thread !== this.thread) return;
    const hasStarted = this.isReady;
    this.thread = null;
    this.isReady = false;
    this.finish()?.reject(new MarkdownRefusal('takes too long to render'));
    if (!hasStarted) for (const { reject } of this.waiting.splice(0)) reject(error);
    this.next();
  }

  private finish(): Job | null {
    clearTimeout(this.timer);
    const job = this.current;
    this.current = null;
    return job;
  }
}

const renderer = new Renderer(TIME_LIMIT);
