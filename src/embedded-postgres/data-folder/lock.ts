import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/**
 * The lock on a data folder: a lock of the operating system, which goes with its process however that ends. A file
 * with a pid would go stale with a kill -9, and lie after a reboot, or between two containers that share a volume.
 * Node has no flock; SQLite, which is part of Node, takes such a lock on its file, on Windows too.
 */
export class FolderLock {
  private readonly file: DatabaseSync;
  private readonly path: string;
  private readonly inode: bigint | undefined;

  private constructor(file: DatabaseSync, path: string) {
    this.file = file;
    this.path = path;
    this.inode = inodeOf(path);
  }

  /** The lock, or nothing when another process, or another part of this one, has it. */
  static take(path: string): FolderLock | undefined {
    const file = new DatabaseSync(path, { timeout: 0 });
    try {
      // The journal in memory: the lock is all that is wanted, and a full disk must not stand in its way.
      file.exec('pragma journal_mode = memory; begin exclusive');
      return new FolderLock(file, path);
    } catch (error) {
      file.close();
      if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
      throw error;
    }
  }

  /** Whether others still meet it: who removes its file, or puts another there, may take that one's lock. */
  get isInPlace(): boolean {
    return this.inode !== undefined && inodeOf(this.path) === this.inode;
  }

  release(): void {
    if (this.file.isOpen) this.file.close();
  }
}

const SQLITE_BUSY = 5;

const inodeOf = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;

/** Who has the lock and where it answers: for people, and for processes that join. Only the lock says that it's true. */
export interface Owner {
  pid: number;
  command: string;
  since: string;
  host: string;
  port: number;
  /** What a client must say where file permissions cannot keep others out. */
  secret?: string;
}

export function writeOwner(path: string, owner: Owner): void {
  // Renamed into place: a process that joins never reads half of it.
  writeFileSync(`${path}.new`, `${JSON.stringify(owner, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/** What this process was started as, the way a person would know it again. */
export function thisCommand(): string {
  const [, script = 'node', ...rest] = process.argv;
  const name = script.replace(/^.*[\\/]node_modules[\\/]/, '').replace(`${process.cwd()}/`, '');
  return [name, ...rest].join(' ').slice(0, 200);
}
