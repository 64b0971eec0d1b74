import { existsSync } from 'node:fs';
import type { FolderLock } from './lock.ts';
import { type Places, socketIn } from './paths.ts';

/**
 * Looks whether what others find the owner by is still there, as PostgreSQL looks for its postmaster.pid: a folder that
 * was removed, or replaced, may be another's already, and whoever cleans a temporary folder takes the socket.
 */
export class FolderGuard {
  private timer: NodeJS.Timeout | undefined;
  private isMending = false;
  private readonly places: Places;
  private readonly lock: FolderLock;
  private readonly isLost: () => Promise<void>;
  private readonly isHidden: () => Promise<void>;
  private readonly log: (line: string) => void;

  constructor(
    { places, lock }: { places: Places; lock: FolderLock },
    on: { isLost: () => Promise<void>; isHidden: () => Promise<void>; log: (line: string) => void },
  ) {
    this.places = places;
    this.lock = lock;
    this.isLost = on.isLost;
    this.isHidden = on.isHidden;
    this.log = on.log;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), LOOKS_EVERY).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const { folder, owner, socketFolder } = this.places;
    if (this.isMending) return;
    if (!this.lock.isInPlace) {
      this.stop();
      this.log(
        `embedded database: ${folder} was removed or replaced. This process writes nothing more there; restart it.`,
      );
      return await this.isLost();
    }
    if (existsSync(owner) && (process.platform === 'win32' || existsSync(socketIn(socketFolder)))) return;
    this.log(`embedded database: the socket or owner.json of ${folder} was removed, and is made again.`);
    this.isMending = true;
    await this.isHidden().catch((error: Error) => this.log(`embedded database: ${error.message}`));
    this.isMending = false;
  }
}

const LOOKS_EVERY = 500;
