import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/**
 * The lock on a data folder: an operating system lock, which is released however its process ends. A file with a pid
 * goes stale after kill -9, and is wrong after a reboot or between two containers that share a volume. Node has no
 * flock; its SQLite takes such a lock on its file, on Windows too.
 */
export class FolderLock {
  private readonly inode: bigint | undefined;

  private constructor(
    private readonly file: DatabaseSync,
    private readonly path: string,
  ) {
    this.inode = inodeOf(path);
  }

  /** The lock, or undefined if another process, or another part of this one, holds it. */
  static tryAcquire(path: string): FolderLock | undefined {
    const file = new DatabaseSync(path, { timeout: 0 });
    try {
      // With the journal in memory, the lock can be taken on a full disk.
      file.exec('pragma journal_mode = memory; begin exclusive');
      return new FolderLock(file, path);
    } catch (error) {
      file.close();
      if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
      throw error;
    }
  }

  /** False once the lock file was removed or replaced: another process can then lock the new file. */
  get isInPlace(): boolean {
    return this.inode !== undefined && inodeOf(this.path) === this.inode;
  }

  release(): void {
    if (this.file.isOpen) this.file.close();
  }
}

const SQLITE_BUSY = 5;

const inodeOf = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
