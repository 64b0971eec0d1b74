import { writeSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Where the log is written, and nothing waits for it. What a reader does not take just now is kept, up to a bound; what is
 * beyond it, or can not be written at all, as on a full disk, is lost, and the log says so once it can.
 */
export class LogOutput {
  private waiting: string[] = [];
  private waitingCharacters = 0;
  /** The end of what was written in part. */
  private rest = NOTHING;
  private lost = 0;
  private isCut = false;
  private again: NodeJS.Timeout | undefined;

  /** A descriptor; of a pipe or a socket, one that does not block. */
  constructor(private readonly file: number) {}

  write(line: string): void {
    if (this.waitingCharacters + line.length > MOST_WAITING) {
      this.lost += 1;
      return;
    }
    this.waiting.push(line);
    this.waitingCharacters += line.length;
    if (!this.again) this.flush();
  }

  /** Writes as much as goes without waiting. */
  flush(): void {
    try {
      while (this.rest.length > 0 || this.waiting.length > 0) this.writeSome();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.tryAgainSoon();
      else this.loseAll();
    }
  }

  private writeSome(): void {
    const isNew = this.rest.length === 0;
    const bytes = isNew ? Buffer.from((this.isCut ? '\n' : '') + this.waiting.join('') + this.toldLoss()) : this.rest;
    const written = writeSync(this.file, bytes);
    if (isNew) {
      this.forget();
      this.lost = 0;
      this.isCut = false;
    }
    this.rest = bytes.subarray(written);
  }

  private tryAgainSoon(): void {
    const flush = () => {
      this.again = undefined;
      this.flush();
    };
    this.again ??= setTimeout(flush, PAUSE).unref();
  }

  private loseAll(): void {
    this.lost += this.waiting.length + this.rest.toString().split('\n').length - 1;
    this.isCut ||= this.rest.length > 0;
    this.rest = NOTHING;
    this.forget();
  }

  private forget(): void {
    this.waiting = [];
    this.waitingCharacters = 0;
  }

  private toldLoss(): string {
    if (this.lost === 0) return '';
    const about = { level: 40, time: Date.now(), pid: process.pid, hostname: hostname() };
    const msg = `${this.lost} lines of the log could not be written, and are lost`;
    return `${JSON.stringify({ ...about, msg })}\n`;
  }
}

/** The standard output. What reads it may be a pipe that is full, or a file on a disk that is. */
export function standardOutput(): LogOutput {
  // Libraries write too: what they can not would end the process. And from when Node is first asked for these streams, a pipe or
  // a socket does not block.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const output = new LogOutput(1);
  process.on('exit', () => output.flush());
  return output;
}

const NOTHING = Buffer.alloc(0);

/** Characters: some thousands of lines. */
const MOST_WAITING = 1_000_000;

/** Milliseconds. */
const PAUSE = 50;
