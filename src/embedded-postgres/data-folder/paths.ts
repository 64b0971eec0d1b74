import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** Where things lie for one data folder; the same for every process, whatever path it names the folder by. */
export interface Places {
  folder: string;
  /** A folder beside the data, for what is about the running process and not the data. */
  beside: string;
  lock: string;
  owner: string;
  /** Exists while the data folder is made: until it is gone, nothing in there was ever acknowledged. */
  unfinished: string;
  socketFolder: string;
}

export const PORT = 5432;

/** The name of the one database there is, and of its one user. */
export const DATABASE = 'postgres';

/** What the connections call themselves by which processes that joined the owner watch it. */
export const JOINED_BY = 'joined by process';

export function placesOf(folder: string): Places {
  try {
    return placesIn(resolve(folder));
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    throw new DataFolderError(
      `The database can not be kept in ${folder}: ${fault}. Name a folder that can be written to.`,
    );
  }
}

/** Nothing is wrong with the program: the folder is no place for a database, or the database in it is not for this one. */
export class DataFolderError extends Error {}

function placesIn(asked: string): Places {
  mkdirSync(dirname(asked), { recursive: true });
  const real = join(realpathSync(dirname(asked)), basename(asked));
  const beside = `${real}.run`;
  ownFolder(beside);
  return {
    folder: real,
    beside,
    lock: join(beside, 'lock'),
    owner: join(beside, 'owner.json'),
    unfinished: join(beside, 'unfinished'),
    socketFolder: shortEnough(beside),
  };
}

/** The name under which libpq and pg look for a server in a folder. */
export const socketIn = (folder: string) => join(folder, `.s.PGSQL.${PORT}`);

/** A socket's path has room for 107 bytes: a deeper folder gets one under the temporary folder, found by its hash. */
function shortEnough(beside: string): string {
  if (process.platform === 'win32' || Buffer.byteLength(socketIn(beside)) <= LONGEST_SOCKET_PATH) return beside;
  const hash = createHash('sha256').update(beside).digest('hex').slice(0, 16);
  const short = join(tmpdir(), `conduit-${process.getuid?.() ?? 'user'}-${hash}`);
  ownFolder(short);
  return short;
}

const LONGEST_SOCKET_PATH = process.platform === 'linux' ? 107 : 103;

/** Whoever can open the socket owns the data, so nobody else may look into its folder, or have made it for us. */
function ownFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (process.getuid === undefined) return;
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== process.getuid()) {
    throw new Error(`${path} belongs to somebody else; remove it, or run as its owner.`);
  }
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
}
