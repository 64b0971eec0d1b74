import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/**
 * PGlite's files on disk, with the fsync that Emscripten leaves out: its NODEFS has no `fsync`, so PostgreSQL's calls
 * succeed and do nothing, and a power cut empties every table.
 */
export class DurableFiles extends NodeFS {
  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...args);
    const preRun = [...(emscriptenOpts.preRun ?? []), (module: unknown) => giveFsync(module as EmscriptenModule)];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } };
  }
}

/** PGlite starts PostgreSQL with `-F`, which is `fsync = off`. */
export function startParameters({ durable }: { durable: boolean }): string[] {
  const withoutF = PGlite.defaultStartParams.filter((parameter) => parameter !== '-F');
  // Little log is kept for reuse, and none piles up to PostgreSQL's gigabyte: a laptop's disk is shared.
  withoutF.push('-c', 'min_wal_size=32MB', '-c', 'max_wal_size=128MB');
  return durable ? [...withoutF, '-c', 'fsync=on', '-c', 'wal_sync_method=fsync'] : [...withoutF, '-F'];
}

interface OpenFile {
  nfd?: number;
  node: unknown;
  flags: number;
}

interface EmscriptenModule {
  FS: {
    filesystems: { NODEFS: { stream_ops: { fsync?: (file: OpenFile) => number }; realPath(node: unknown): string } };
    ErrnoError: new (errno: number) => Error;
  };
}

const O_ACCMODE = 3;

/** Emscripten's own errno numbers (WASI's), for the faults a disk has. */
export const ERRNO: Record<string, number> = { ENOSPC: 51, EDQUOT: 19, EROFS: 69, EIO: 29 };

function giveFsync({ FS }: EmscriptenModule): void {
  const { NODEFS } = FS.filesystems;
  NODEFS.stream_ops.fsync = (file) => {
    const isDirectory = file.nfd === undefined;
    // Recovery hints at every file before it syncs it. What must reach the disk, PostgreSQL opens for writing.
    if (!isDirectory && (file.flags & O_ACCMODE) === constants.O_RDONLY) return 0;
    try {
      // A directory has no descriptor of Node's: its entries (a renamed WAL segment) need the sync as much as a file.
      if (file.nfd === undefined) syncDirectory(NODEFS.realPath(file.node));
      else fsyncSync(file.nfd);
    } catch (error) {
      // PostgreSQL must hear of it: after a failed fsync it stops and recovers from its log rather than trust the cache.
      throw new FS.ErrnoError(ERRNO[(error as NodeJS.ErrnoException).code ?? ''] ?? (ERRNO.EIO as number));
    }
    return 0;
  };
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return; // Windows cannot sync a directory, and PostgreSQL does not ask it there.
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
