import { statfs } from 'node:fs/promises';

/**
 * Refuses writes before the disk is full. PostgreSQL stops when it cannot write its WAL, and then needs space to
 * recover. Refusing earlier keeps reads working, and writes resume once there is space.
 */
export class DiskSpaceMonitor {
  /** Why writes are refused, while they are. */
  writeRefusal: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly freeSpace: () => Promise<number>,
    private readonly log: (line: string) => void,
  ) {}

  async start(): Promise<void> {
    this.timer = setInterval(() => void this.check(), CHECK_INTERVAL).unref();
    await this.check();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async check(): Promise<void> {
    const free = await this.freeSpace().catch(() => Number.POSITIVE_INFINITY); // not every file system reports it
    if (this.writeRefusal === undefined && free < REFUSE_BELOW) {
      this.writeRefusal = `The disk is nearly full: ${megabytes(free)} MB free. Writes resume at ${megabytes(RESUME_AT)} MB.`;
      this.log(`embedded database: ${this.writeRefusal}`);
    } else if (this.writeRefusal !== undefined && free >= RESUME_AT) {
      this.writeRefusal = undefined;
      this.log(`embedded database: ${megabytes(free)} MB of disk free, writes resumed.`);
    }
  }
}

const CHECK_INTERVAL = 500;
/** Three WAL segments: what PostgreSQL may need at once, and what recovery needs. */
const REFUSE_BELOW = 48 * 1024 * 1024;
const RESUME_AT = 64 * 1024 * 1024;

const megabytes = (bytes: number) => Math.floor(bytes / 1024 / 1024);

export async function freeSpaceIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
