import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
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

/** Contents of owner.json: the process that holds the lock and where it listens. May be stale; only the lock decides. */
export interface OwnerInfo {
  pid: number;
  command: string;
  since: string;
  host: string;
  port: number;
  /** The password for connections over TCP, where file permissions cannot restrict access. */
  secret?: string;
}

export function writeOwnerFile(path: string, owner: OwnerInfo): void {
  // Renamed into place, so that no other process reads half of it.
  writeFileSync(`${path}.new`, `${JSON.stringify(owner, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function readOwnerFile(path: string): OwnerInfo | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as OwnerInfo;
  } catch {
    return undefined;
  }
}

/** The command line of this process, shortened for display. */
export function processCommand(): string {
  const [, script = 'node', ...rest] = process.argv;
  const name = script.replace(/^.*[\\/]node_modules[\\/]/, '').replace(`${process.cwd()}/`, '');
  return [name, ...rest].join(' ').slice(0, 200);
}
