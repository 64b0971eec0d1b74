import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DiskGuard, spaceLeftIn } from './data-folder/disk-space.ts';
import { type FolderLock, type Owner, thisCommand, writeOwner } from './data-folder/lock.ts';
import { DATABASE, DataFolderError, type Places, PORT, placesOf, socketIn } from './data-folder/paths.ts';
import { FolderGuard } from './data-folder/watch.ts';
import { Engine } from './engine/engine.ts';
import { Upkeep } from './maintenance.ts';
import { Turns } from './wire/session-queue.ts';
import { Session } from './wire/shared-session.ts';
import { type Address, WireServer } from './wire/wire-server.ts';

export interface OwningOptions {
  durable: boolean;
  loadDataDir?: Uint8Array;
  statementTimeout: number;
  patience: number;
  idleInTransactionTimeout: number;
  /** Loopback with a secret in place of a socket in the file system: Windows has no other way. */
  useTcp: boolean;
  /** Bytes left where the data lie; tests have a disk of their own making. */
  spaceLeft?: () => Promise<number>;
  log(line: string): void;
}

export interface Connection {
  host: string;
  port: number;
  user: string;
  password?: string;
  dbName: string;
}

/** Where PGlite keeps its files: a folder on disk and what lies beside it, or memory and a folder for the socket. */
export type Storage = { places: Places; lock: FolderLock } | { memory: true; socketFolder: string };

/** The process that has the folder: its engine, its server, and its care for both. */
export class Owning {
  readonly connection: Connection;
  readonly engine: Engine;
  readonly turns: Turns;
  private readonly server: WireServer;
  private readonly upkeep: Upkeep;
  private readonly disk: DiskGuard;
  private readonly storage: Storage;
  private readonly guard: FolderGuard | undefined;
  private isLost = false;

  private constructor(parts: {
    connection: Connection;
    engine: Engine;
    turns: Turns;
    server: WireServer;
    upkeep: Upkeep;
    disk: DiskGuard;
    storage: Storage;
    log: (line: string) => void;
  }) {
    this.connection = parts.connection;
    this.engine = parts.engine;
    this.turns = parts.turns;
    this.server = parts.server;
    this.upkeep = parts.upkeep;
    this.disk = parts.disk;
    this.storage = parts.storage;
    if (!('places' in parts.storage)) return;
    const on = { isLost: () => this.letGo(), isHidden: () => this.showUp(), log: parts.log };
    this.guard = new FolderGuard(parts.storage, on);
    this.guard.start();
  }

  static async begin(storage: Storage, options: OwningOptions, port = 0): Promise<Owning> {
    const folder = 'places' in storage ? storage.places.folder : 'memory';
    const isNew = 'memory' in storage || makeReady(storage.places);
    // Before the engine is open, for those who want to know whom they wait for; to join, they find nobody answering yet.
    if ('places' in storage && !options.useTcp) writeOwner(storage.places.owner, asOwner(socketOf(storage)));
    const { durable, loadDataDir } = options;
    const engine = new Engine(
      { folder, durable, ...(isNew && loadDataDir !== undefined ? { loadDataDir } : {}) },
      options.log,
    );
    await engine.start();
    const turns = new Turns({ idleLimit: options.idleInTransactionTimeout });
    const session = new Session(engine);
    const upkeep = new Upkeep({ engine, session, turns, log: options.log });
    const disk = new DiskGuard(options.spaceLeft ?? (() => spaceLeft(storage)), options.log);
    const { statementTimeout, patience } = options;
    const house = { engine, session, turns, statementTimeout, patience, writesRefused: () => disk.writesRefused };
    const secret = options.useTcp ? randomBytes(24).toString('hex') : undefined;
    const server = new WireServer(house, secret);
    const address = addressFor(storage, options, port);
    try {
      if ('places' in storage && isNew) await finish(storage.places, session, durable);
      await listen(server, address);
    } catch (error) {
      await engine.close();
      throw error;
    }
    const connection = connectionTo(storage, server, secret);
    if ('places' in storage) writeOwner(storage.places.owner, asOwner(connection));
    upkeep.start();
    await disk.start();
    return new Owning({ connection, engine, turns, server, upkeep, disk, storage, log: options.log });
  }

  /** A copy of the data, as a tar file that `loadDataDir` takes. Nothing is written meanwhile. */
  async dumpDataDir(): Promise<Buffer> {
    return await this.upkeep.alone(async (session) => {
      await session.select('checkpoint');
      return await this.engine.dump();
    });
  }

  /** Other processes that use the folder through this one. */
  get joined(): number {
    return this.server.joined;
  }

  async close({ patience = 3000 } = {}): Promise<void> {
    this.guard?.stop();
    this.upkeep.stop();
    this.disk.stop();
    await this.server.close(patience);
    if (this.engine.state === 'open') await this.upkeep.lastCheckpoint();
    await this.engine.close();
    if ('places' in this.storage) {
      if (!this.isLost) rmSync(this.storage.places.owner, { force: true });
      this.storage.lock.release();
    } else rmSync(this.storage.socketFolder, { recursive: true, force: true });
  }

  /** The folder is no longer this process's: whatever it wrote now might go into another's. */
  private async letGo(): Promise<void> {
    this.isLost = true;
    this.upkeep.stop();
    this.disk.stop();
    await this.engine.abandon('57P01', 'The folder of the embedded database was removed.');
    await this.server.close(0);
  }

  /** Nobody finds the way here any more: makes it again. */
  private async showUp(): Promise<void> {
    if (!('places' in this.storage)) return;
    const { connection } = this;
    const places = placesOf(this.storage.places.folder);
    if (connection.password === undefined) await listen(this.server, { path: socketIn(connection.host) });
    writeOwner(places.owner, asOwner(connection));
  }
}

async function listen(server: WireServer, address: Address): Promise<void> {
  if ('path' in address) rmSync(address.path, { force: true }); // left by a process that was killed
  const umask = process.umask(0o177);
  try {
    await server.listen(address);
  } finally {
    process.umask(umask);
  }
}

const spaceLeft = (storage: Storage) =>
  'places' in storage ? spaceLeftIn(storage.places.folder) : Promise.resolve(Number.POSITIVE_INFINITY);

/** Says whether the folder is to be filled. What a start that was cut short left there is nobody's data: it goes. */
function makeReady({ folder, unfinished }: Places): boolean {
  if (existsSync(unfinished)) rmSync(folder, { recursive: true, force: true });
  else if (existsSync(join(folder, 'PG_VERSION'))) {
    const made = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
    if (made === POSTGRESQL) return false;
    throw new DataFolderError(
      `${folder} was made by PostgreSQL ${made}, and this is ${POSTGRESQL}. Dump it with the version that made it (npm run db:dump), and restore it into a new folder.`,
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0)
    throw new DataFolderError(`${folder} holds files that are no database; name another folder.`);
  writeFileSync(unfinished, '');
  syncPath(unfinished);
  return true;
}

/** The version of PostgreSQL that PGlite is. */
const POSTGRESQL = '18';

/** PGlite unpacks a new database without syncing it: it counts as made once every file of it is on the disk. */
async function finish({ folder, beside, unfinished }: Places, session: Session, durable: boolean): Promise<void> {
  // Two thirds of the files, all of which a start after a crash would sync: they are for `create database`.
  await session.select('update pg_catalog.pg_database set datistemplate = false');
  for (const template of ['template0', 'template1']) await session.select(`drop database if exists ${template}`);
  await session.select('checkpoint');
  if (durable) {
    for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) syncPath(join(folder, entry));
    syncPath(folder);
    syncPath(join(folder, '..'));
  }
  rmSync(unfinished);
  if (durable) syncPath(beside);
}

function syncPath(path: string): void {
  if (process.platform === 'win32') return; // folders cannot be synced there, nor files opened for reading
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function addressFor(storage: Storage, { useTcp }: OwningOptions, port: number): Address {
  if (useTcp) return { host: '127.0.0.1', port };
  return { path: socketIn('places' in storage ? storage.places.socketFolder : storage.socketFolder) };
}

function connectionTo(storage: Storage, server: WireServer, secret: string | undefined): Connection {
  if (secret === undefined) return socketOf(storage);
  return { host: '127.0.0.1', port: server.port, password: secret, user: DATABASE, dbName: DATABASE };
}

function socketOf(storage: Storage): Connection {
  const host = 'places' in storage ? storage.places.socketFolder : storage.socketFolder;
  return { host, port: PORT, user: DATABASE, dbName: DATABASE };
}

function asOwner({ host, port, password }: Connection): Owner {
  const since = new Date().toISOString();
  return {
    pid: process.pid,
    command: thisCommand(),
    since,
    host,
    port,
    ...(password === undefined ? {} : { secret: password }),
  };
}
