import { writeSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Writes the log without blocking. Lines that the reader does not accept yet are buffered up to a limit. Lines beyond it, or
 * that cannot be written, as on a full disk, are dropped; a line with their number follows once writing works again.
 */
export class LogOutput {
  private buffer: string[] = [];
  private bufferedCharacters = 0;
  /** The unwritten end of a partial write. */
  private rest = NOTHING;
  private dropped = 0;
  private isCut = false;
  private retryTimer: NodeJS.Timeout | undefined;

  /** A file descriptor, non-blocking for pipes and sockets. */
  constructor(private readonly descriptor: number) {}

  write(line: string): void {
    if (this.bufferedCharacters + line.length > MAX_BUFFERED) {
      this.dropped += 1;
      return;
    }
    this.buffer.push(line);
    this.bufferedCharacters += line.length;
    if (!this.retryTimer) this.flush();
  }

  /** Writes as much as possible without blocking. */
  flush(): void {
    try {
      while (this.rest.length > 0 || this.buffer.length > 0) this.writeOnce();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.scheduleRetry();
      else this.dropAll();
    }
  }

  private writeOnce(): void {
    const isNew = this.rest.length === 0;
    const bytes = isNew ? Buffer.from((this.isCut ? '\n' : '') + this.buffer.join('') + this.droppedLine()) : this.rest;
    const written = writeSync(this.descriptor, bytes);
    if (isNew) {
      this.clear();
      this.dropped = 0;
      this.isCut = false;
    }
    this.rest = bytes.subarray(written);
  }

  private scheduleRetry(): void {
    const flush = () => {
      this.retryTimer = undefined;
      this.flush();
    };
    this.retryTimer ??= setTimeout(flush, RETRY_DELAY).unref();
  }

  private dropAll(): void {
    this.dropped += this.buffer.length + this.rest.toString().split('\n').length - 1;
    this.isCut ||= this.rest.length > 0;
    this.rest = NOTHING;
    this.clear();
  }

  private clear(): void {
    this.buffer = [];
    this.bufferedCharacters = 0;
  }

  private droppedLine(): string {
    if (this.dropped === 0) return '';
    const about = { level: 40, time: Date.now(), pid: process.pid, hostname: hostname() };
    const msg = `${this.dropped} log lines dropped: the output could not be written`;
    return `${JSON.stringify({ ...about, msg })}\n`;
  }
}

/** Standard output, which may be a full pipe, or a file on a full disk. */
export function standardOutput(): LogOutput {
  // A failed write of a library would end the process. Accessing these streams also makes pipes and sockets non-blocking.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const output = new LogOutput(1);
  process.on('exit', () => output.flush());
  return output;
}

const NOTHING = Buffer.alloc(0);

/** Characters; some thousands of lines. */
const MAX_BUFFERED = 1_000_000;

/** Milliseconds. */
const RETRY_DELAY = 50;
