import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/**
 * PGlite's file system with fsync. Emscripten's NODEFS lacks it: PostgreSQL's calls succeed without effect, and a power
 * cut empties every table.
 */
export class FsyncFiles extends NodeFS {
  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...args);
    const preRun = [...(emscriptenOpts.preRun ?? []), (module: unknown) => addFsync(module as EmscriptenModule)];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } };
  }
}

/** PGlite starts PostgreSQL with `-F`, which is `fsync = off`. */
export function startParameters({ durable }: { durable: boolean }): string[] {
  const withoutF = PGlite.defaultStartParams.filter((parameter) => parameter !== '-F');
  // PostgreSQL's default keeps up to a gigabyte of WAL, too much for the disk of a laptop.
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

/** Emscripten's errno numbers, which are WASI's, for disk errors. */
export const ERRNO: Record<string, number> = { ENOSPC: 51, EDQUOT: 19, EROFS: 69, EIO: 29 };

function addFsync({ FS }: EmscriptenModule): void {
  const { NODEFS } = FS.filesystems;
  NODEFS.stream_ops.fsync = (file) => {
    const isDirectory = file.nfd === undefined;
    // Recovery opens every file for reading as a hint before it syncs it; what must be synced is open for writing.
    if (!isDirectory && (file.flags & O_ACCMODE) === constants.O_RDONLY) return 0;
    try {
      // NODEFS opens no descriptor for a directory, whose entries (a renamed WAL segment) need the sync too.
      if (file.nfd === undefined) syncDirectory(NODEFS.realPath(file.node));
      else fsyncSync(file.nfd);
    } catch (error) {
      // PostgreSQL must see the error: after a failed fsync it recovers from its WAL instead of trusting the page cache.
      throw new FS.ErrnoError(ERRNO[(error as NodeJS.ErrnoException).code ?? ''] ?? (ERRNO.EIO as number));
    }
    return 0;
  };
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return; // not possible there, and PostgreSQL does not need it
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
