import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EmbeddedDatabaseOptions } from '../../src/embedded-postgres/embedded-database.ts';

export interface Reply {
  open?: boolean;
  isOwner?: boolean;
  rows?: Record<string, unknown>[];
  code?: string;
  message?: string;
  connection?: { host: string; port: number };
}

/** A separate process on a data folder, which runs database-program.ts. Its first reply is that it is open, or why not. */
export class DatabaseProcess {
  readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(folder: string, options: Partial<EmbeddedDatabaseOptions> = {}) {
    const program = fileURLToPath(new URL('./database-program.ts', import.meta.url));
    const command = ['--import', '@oxc-node/core/register', program, folder, JSON.stringify(options)];
    this.child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin?.on('error', () => {}); // it has exited: the next reply says so
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  /** Its next reply. */
  async reply(): Promise<Reply> {
    const { value, done } = await this.withTimeout(this.lines.next());
    return done === true
      ? { open: false, message: 'the process exited, or was killed because it did not reply' }
      : (JSON.parse(value) as Reply);
  }

  async query(sql: string): Promise<Reply> {
    this.child.stdin?.write(`${sql}\n`);
    return await this.reply();
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  /** Lets it exit, and returns its exit code; null if it had to be killed. */
  async exit(): Promise<number | null> {
    const exit = this.child.exitCode === null ? once(this.child, 'exit') : undefined;
    this.child.stdin?.end();
    if (exit !== undefined) await this.withTimeout(exit);
    return this.child.exitCode;
  }

  /** Kills the process if it does not reply in time. */
  private async withTimeout<T>(reply: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), REPLY_TIMEOUT);
    try {
      return await reply;
    } finally {
      clearTimeout(timer);
    }
  }
}

const REPLY_TIMEOUT = 90_000;
