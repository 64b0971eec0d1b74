import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DiskGuard, spaceLeftIn } from './disk-guard.ts';
import { Engine } from './engine.ts';
import { type FolderLock, type Owner, thisCommand, writeOwner } from './folder-lock.ts';
import { type Places, PORT, socketIn } from './places.ts';
import { Session } from './session.ts';
import { Turns } from './turns.ts';
import { Upkeep } from './upkeep.ts';
import { type Address, DATABASE, WireServer } from './wire-server.ts';

export interface OwningOptions {
  durable: boolean;
  loadFrom?: Uint8Array;
  statementDeadline: number;
  patience: number;
  idleInTransaction: number;
  /** Loopback with a secret in place of a socket in the file system: Windows has no other way. */
  overLoopback: boolean;
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

  private constructor(parts: {
    connection: Connection;
    engine: Engine;
    turns: Turns;
    server: WireServer;
    upkeep: Upkeep;
    disk: DiskGuard;
    storage: Storage;
  }) {
    this.connection = parts.connection;
    this.engine = parts.engine;
    this.turns = parts.turns;
    this.server = parts.server;
    this.upkeep = parts.upkeep;
    this.disk = parts.disk;
    this.storage = parts.storage;
  }

  static async begin(storage: Storage, options: OwningOptions, port = 0): Promise<Owning> {
    const folder = 'places' in storage ? storage.places.folder : 'memory';
    const isNew = 'memory' in storage || makeReady(storage.places);
    const { durable, loadFrom } = options;
    const engine = new Engine(
      { folder, durable, ...(isNew && loadFrom !== undefined ? { loadFrom } : {}) },
      options.log,
    );
    await engine.start();
    const turns = new Turns({ idleLimit: options.idleInTransaction });
    const session = new Session(engine);
    const upkeep = new Upkeep({ engine, session, turns });
    const disk = new DiskGuard(options.spaceLeft ?? (() => spaceLeft(storage)), options.log);
    const { statementDeadline, patience } = options;
    const house = { engine, session, turns, statementDeadline, patience, writesRefused: () => disk.writesRefused };
    const secret = options.overLoopback ? randomBytes(24).toString('hex') : undefined;
    const server = new WireServer(house, secret);
    const address = addressFor(storage, options, port);
    try {
      if ('places' in storage && isNew) await finish(storage.places, session, durable);
      if ('path' in address) rmSync(address.path, { force: true }); // left by a process that was killed
      const umask = process.umask(0o177);
      try {
        await server.listen(address);
      } finally {
        process.umask(umask);
      }
    } catch (error) {
      await engine.close();
      throw error;
    }
    const connection = connectionTo(storage, server, secret);
    if ('places' in storage) writeOwner(storage.places.owner, asOwner(connection));
    upkeep.start();
    await disk.start();
    return new Owning({ connection, engine, turns, server, upkeep, disk, storage });
  }

  /** A copy of the data, as a tar file that `loadFrom` takes. Nothing is written meanwhile. */
  async dumpDataDir(): Promise<Buffer> {
    return await this.upkeep.alone(async (session) => {
      await session.select('checkpoint');
      return await this.engine.dump();
    });
  }

  async close({ patience = 3000 } = {}): Promise<void> {
    this.upkeep.stop();
    this.disk.stop();
    await this.server.close(patience);
    if (this.engine.state === 'open') await this.upkeep.lastCheckpoint();
    await this.engine.close();
    if ('places' in this.storage) {
      rmSync(this.storage.places.owner, { force: true });
      this.storage.lock.release();
    } else rmSync(this.storage.socketFolder, { recursive: true, force: true });
  }
}

const spaceLeft = (storage: Storage) =>
  'places' in storage ? spaceLeftIn(storage.places.folder) : Promise.resolve(Number.POSITIVE_INFINITY);

/** Says whether the folder is to be filled. What a start that was cut short left there is nobody's data: it goes. */
function makeReady({ folder, unfinished }: Places): boolean {
  if (existsSync(unfinished)) rmSync(folder, { recursive: true, force: true });
  else if (existsSync(join(folder, 'PG_VERSION'))) return false;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0)
    throw new Error(`${folder} holds files that are no database; name another folder.`);
  writeFileSync(unfinished, '');
  syncPath(unfinished);
  return true;
}

/** PGlite unpacks a new database without syncing it: it counts as made once every file of it is on the disk. */
async function finish({ folder, beside, unfinished }: Places, session: Session, durable: boolean): Promise<void> {
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

function addressFor(storage: Storage, { overLoopback }: OwningOptions, port: number): Address {
  if (overLoopback) return { host: '127.0.0.1', port };
  return { path: socketIn('places' in storage ? storage.places.socketFolder : storage.socketFolder) };
}

function connectionTo(storage: Storage, server: WireServer, secret: string | undefined): Connection {
  const common = { user: DATABASE, dbName: DATABASE };
  if (secret !== undefined) return { host: '127.0.0.1', port: server.port, password: secret, ...common };
  return { host: 'places' in storage ? storage.places.socketFolder : storage.socketFolder, port: PORT, ...common };
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
