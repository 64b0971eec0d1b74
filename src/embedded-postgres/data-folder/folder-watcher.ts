import { existsSync } from 'node:fs';
import type { FolderLock } from './folder-lock.ts';
import { type DataPaths, socketPath } from './paths.ts';

/**
 * Checks that the lock, owner.json and the socket are still there, as PostgreSQL checks its postmaster.pid. A folder
 * that was removed or replaced may already belong to another process; cleaning the temporary folder removes the socket.
 */
export class FolderWatcher {
  private timer: NodeJS.Timeout | undefined;
  private isRestoring = false;

  constructor(
    private readonly storage: { paths: DataPaths; lock: FolderLock },
    private readonly on: { lockLost(): Promise<void>; socketLost(): Promise<void>; log(line: string): void },
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.check(), CHECK_INTERVAL).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async check(): Promise<void> {
    const { paths, lock } = this.storage;
    const { folder, ownerFile, socketFolder } = paths;
    if (this.isRestoring) return;
    if (!lock.isInPlace) {
      this.stop();
      this.on.log(`embedded database: ${folder} was removed or replaced, writing stopped. Restart this process.`);
      return await this.on.lockLost();
    }
    if (existsSync(ownerFile) && (process.platform === 'win32' || existsSync(socketPath(socketFolder)))) return;
    this.on.log(`embedded database: the socket or owner.json of ${folder} was removed, restoring it.`);
    this.isRestoring = true;
    await this.on.socketLost().catch((error: Error) => this.on.log(`embedded database: ${error.message}`));
    this.isRestoring = false;
  }
}

const CHECK_INTERVAL = 500;
