import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EmbeddedDatabaseOptions } from '../../src/embedded-postgres/embedded-database.ts';

export interface Said {
  open?: boolean;
  isOwner?: boolean;
  rows?: Record<string, unknown>[];
  code?: string;
  message?: string;
  connection?: { host: string; port: number };
}

/** Another process on a data folder; `hello` is what it said on opening. */
export class OtherProcess {
  readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(folder: string, options: Partial<EmbeddedDatabaseOptions> = {}) {
    const program = fileURLToPath(new URL('./other-process.ts', import.meta.url));
    const command = ['--import', '@oxc-node/core/register', program, folder, JSON.stringify(options)];
    this.child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin?.on('error', () => {}); // it has ended: what is asked of it is answered so
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  /** The next that it says. */
  async heard(): Promise<Said> {
    const { value, done } = await this.inTime(this.lines.next());
    return done === true
      ? { open: false, message: 'it ended, or was killed for its silence' }
      : (JSON.parse(value) as Said);
  }

  async ask(sql: string): Promise<Said> {
    this.child.stdin?.write(`${sql}\n`);
    return await this.heard();
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  /** Ends it in good order, and gives its exit code; none if it had to be killed. */
  async end(): Promise<number | null> {
    const exit = this.child.exitCode === null ? once(this.child, 'exit') : undefined;
    this.child.stdin?.end();
    if (exit !== undefined) await this.inTime(exit);
    return this.child.exitCode;
  }

  /** Kills it if it does not answer, so that nobody waits for it for ever. */
  private async inTime<T>(answer: Promise<T>): Promise<T> {
    const late = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE);
    try {
      return await answer;
    } finally {
      clearTimeout(late);
    }
  }
}

const PATIENCE = 90_000;
