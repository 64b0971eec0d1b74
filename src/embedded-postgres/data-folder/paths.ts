import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** The files of one data folder; the same for every process, whichever path it names the folder by. */
export interface DataPaths {
  folder: string;
  /** Beside the data folder, for the state of the running process. */
  runFolder: string;
  lock: string;
  ownerFile: string;
  /** Exists while the data folder is being initialized; until it is removed, no commit was acknowledged. */
  initMarker: string;
  socketFolder: string;
}

export const PORT = 5432;

/** The only database, and its only user. */
export const DATABASE = 'postgres';

/** Start of the application_name of the connections by which other processes watch the owner. */
export const JOINED_PROCESS = 'joined by process';

export function resolvePaths(folder: string): DataPaths {
  try {
    return makePaths(resolve(folder));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataFolderError(`Cannot create the database in ${folder}: ${reason}. Choose a writable folder.`);
  }
}

/** The data folder cannot be used; the message says why and what to do. */
export class DataFolderError extends Error {}

function makePaths(folder: string): DataPaths {
  mkdirSync(dirname(folder), { recursive: true });
  const realFolder = join(realpathSync(dirname(folder)), basename(folder));
  const runFolder = `${realFolder}.run`;
  makePrivateFolder(runFolder);
  return {
    folder: realFolder,
    runFolder,
    lock: join(runFolder, 'lock'),
    ownerFile: join(runFolder, 'owner.json'),
    initMarker: join(runFolder, 'unfinished'),
    socketFolder: makeSocketFolder(runFolder),
  };
}

/** The socket that libpq and pg connect to when the host is a folder. */
export const socketPath = (folder: string) => join(folder, `.s.PGSQL.${PORT}`);

/** The path of a socket is limited to 107 bytes: a deeper folder gets one in the temporary folder, named by a hash. */
function makeSocketFolder(runFolder: string): string {
  const fits = Buffer.byteLength(socketPath(runFolder)) <= MAX_SOCKET_PATH;
  if (process.platform === 'win32' || fits) return runFolder;
  const hash = createHash('sha256').update(runFolder).digest('hex').slice(0, 16);
  const folder = join(tmpdir(), `conduit-${process.getuid?.() ?? 'user'}-${hash}`);
  makePrivateFolder(folder);
  return folder;
}

const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/** Access to the socket is access to the data: the folder must belong to this user and be closed to all others. */
function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (process.getuid === undefined) return;
  const stats = lstatSync(path);
  if (!stats.isDirectory() || stats.uid !== process.getuid()) {
    throw new Error(`${path} belongs to another user; remove it, or run as that user`);
  }
  if ((stats.mode & 0o077) !== 0) chmodSync(path, 0o700);
}
