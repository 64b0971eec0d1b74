import { statfs } from 'node:fs/promises';

/**
 * Refuses writes before the disk is full. A log that cannot be written stops PostgreSQL, which then needs space to
 * recover: stopping short of that, reads go on, and writes do by themselves once there is space again.
 */
export class DiskGuard {
  /** Why writes are refused now, if they are. */
  writesRefused: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly spaceLeft: () => Promise<number>;
  private readonly log: (line: string) => void;

  constructor(spaceLeft: () => Promise<number>, log: (line: string) => void) {
    this.spaceLeft = spaceLeft;
    this.log = log;
  }

  async start(): Promise<void> {
    this.timer = setInterval(() => void this.look(), LOOKS_EVERY).unref();
    await this.look();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const left = await this.spaceLeft().catch(() => Number.POSITIVE_INFINITY); // a file system that does not say
    if (this.writesRefused === undefined && left < LEAST) {
      this.writesRefused = `The disk is nearly full: ${megabytes(left)} MB are left. Writes wait for ${megabytes(ENOUGH)} MB.`;
      this.log(`embedded database: ${this.writesRefused}`);
    } else if (this.writesRefused !== undefined && left >= ENOUGH) {
      this.writesRefused = undefined;
      this.log(`embedded database: ${megabytes(left)} MB of disk are left, writes go on.`);
    }
  }
}

const LOOKS_EVERY = 500;
/** Three segments of PostgreSQL's log: what it may want at once, and what recovery needs. */
const LEAST = 48 * 1024 * 1024;
const ENOUGH = 64 * 1024 * 1024;

const megabytes = (bytes: number) => Math.floor(bytes / 1024 / 1024);

export async function spaceLeftIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
