import type { WriteStream } from 'node:tty';

/** Prints the progress of a long task: a bar on a terminal, a line for every tenth elsewhere. */
export class Progress {
  private label = '';
  private total = 0;
  private startedAt = 0;
  private tenth = 0;

  constructor(private readonly out: Pick<WriteStream, 'write'> & { isTTY?: boolean }) {}

  start(label: string, total: number): void {
    Object.assign(this, { label, total, startedAt: performance.now(), tenth: 0 });
    this.update(0);
  }

  update(done: number): void {
    if (this.out.isTTY) this.out.write(`\r${this.bar(done)} ${this.line(done)}\x1b[K`);
    const tenth = Math.floor((done / this.total) * 10);
    if (!this.out.isTTY && tenth > this.tenth) this.out.write(`${this.line(done)}\n`);
    this.tenth = tenth;
  }

  end(): void {
    if (this.out.isTTY) this.out.write('\n');
  }

  private bar(done: number): string {
    const full = Math.round((done / this.total) * WIDTH);
    return '█'.repeat(full) + '░'.repeat(WIDTH - full);
  }

  private line(done: number): string {
    const seconds = (performance.now() - this.startedAt) / 1000;
    const time =
      done === 0 || done === this.total
        ? duration(seconds)
        : `${duration((seconds / done) * (this.total - done))} left`;
    return `${this.label}: ${done.toLocaleString('en')} of ${this.total.toLocaleString('en')}, ${time}`;
  }
}

const WIDTH = 30;

export const duration = (seconds: number): string =>
  seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
