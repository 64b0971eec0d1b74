import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { DiskSpaceMonitor, freeSpaceIn } from './data-folder/disk-space.ts';
import type { FolderLock } from './data-folder/folder-lock.ts';
import { FolderWatcher } from './data-folder/folder-watcher.ts';
import { finishFolder, prepareFolder } from './data-folder/initialize.ts';
import { type OwnerInfo, processCommand, writeOwnerFile } from './data-folder/owner-file.ts';
import { DATABASE, type DataPaths, PORT, resolvePaths, socketPath } from './data-folder/paths.ts';
import { Engine } from './engine/engine.ts';
import { Maintenance } from './maintenance.ts';
import { SqlError } from './protocol.ts';
import { SessionQueue } from './wire/session-queue.ts';
import { SharedSession } from './wire/shared-session.ts';
import { type Address, WireServer } from './wire/wire-server.ts';

export interface OwnerOptions {
  durable: boolean;
  loadDataDir?: Uint8Array;
  statementTimeout: number;
  queueTimeout: number;
  idleInTransactionTimeout: number;
  /** Listen on 127.0.0.1 with a password instead of a Unix socket, which Windows does not offer. */
  useTcp: boolean;
  /** Free bytes on the disk of the data; replaced in tests. */
  freeSpace?: () => Promise<number>;
  log(line: string): void;
}

export interface Connection {
  host: string;
  port: number;
  user: string;
  password?: string;
  dbName: string;
}

/** Where PGlite keeps its files: a locked data folder, or memory with a folder for the socket. */
export type Storage = { paths: DataPaths; lock: FolderLock } | { memory: true; socketFolder: string };

/** Owns the data folder: runs the engine, serves it to clients, and maintains both. */
export class DatabaseOwner {
  private readonly watcher: FolderWatcher | undefined;
  private isLockLost = false;

  private constructor(
    readonly connection: Connection,
    readonly engine: Engine,
    readonly queue: SessionQueue,
    private readonly server: WireServer,
    private readonly maintenance: Maintenance,
    private readonly diskSpace: DiskSpaceMonitor,
    private readonly storage: Storage,
    log: (line: string) => void,
  ) {
    if (!('paths' in storage)) return;
    this.watcher = new FolderWatcher(storage, {
      lockLost: () => this.abandon(),
      socketLost: () => this.restoreSocket(),
      log,
    });
    this.watcher.start();
  }

  static async start(storage: Storage, options: OwnerOptions, port = 0): Promise<DatabaseOwner> {
    const folder = 'paths' in storage ? storage.paths.folder : 'memory';
    const isNew = 'memory' in storage || prepareFolder(storage.paths);
    // Written before the engine is open, so that waiting processes can name the owner; connecting fails until it listens.
    if ('paths' in storage && !options.useTcp) writeOwnerFile(storage.paths.ownerFile, ownerInfo(socketOf(storage)));
    const { durable, loadDataDir, statementTimeout, queueTimeout, log } = options;
    const engine = new Engine({ folder, durable, ...(isNew && loadDataDir !== undefined ? { loadDataDir } : {}) }, log);
    await engine.start();
    const queue = new SessionQueue(options.idleInTransactionTimeout);
    const session = new SharedSession(engine);
    const maintenance = new Maintenance(engine, session, queue, log);
    const diskSpace = new DiskSpaceMonitor(options.freeSpace ?? (() => freeSpace(storage)), log);
    const writeRefusal = () => diskSpace.writeRefusal;
    const password = options.useTcp ? randomBytes(24).toString('hex') : undefined;
    const server = new WireServer({ engine, session, queue, statementTimeout, queueTimeout, writeRefusal }, password);
    try {
      if ('paths' in storage && isNew) {
        await finishFolder(storage.paths, { durable, run: (sql) => session.query(sql) });
      }
      await listen(server, addressOf(storage, options, port));
    } catch (error) {
      await engine.close();
      throw error;
    }
    const connection = connectionTo(storage, server, password);
    if ('paths' in storage) writeOwnerFile(storage.paths.ownerFile, ownerInfo(connection));
    maintenance.start();
    await diskSpace.start();
    return new DatabaseOwner(connection, engine, queue, server, maintenance, diskSpace, storage, log);
  }

  /** A copy of the data, as a tar file for `loadDataDir`. Blocks all clients while it is made. */
  async dumpDataDir(): Promise<Buffer> {
    return await this.maintenance.runExclusively(async (session) => {
      await session.query('checkpoint');
      return await this.engine.dump();
    });
  }

  /** The number of other processes that use the folder through this one. */
  get joinedProcesses(): number {
    return this.server.joinedProcesses;
  }

  async close({ transactionTimeout = 3000 } = {}): Promise<void> {
    this.watcher?.stop();
    this.maintenance.stop();
    this.diskSpace.stop();
    await this.server.close(transactionTimeout);
    if (this.engine.state === 'open') await this.maintenance.shutdownCheckpoint();
    await this.engine.close();
    if ('paths' in this.storage) {
      if (!this.isLockLost) rmSync(this.storage.paths.ownerFile, { force: true });
      this.storage.lock.release();
    } else rmSync(this.storage.socketFolder, { recursive: true, force: true });
  }

  /** The folder may already belong to another process: stops without writing anything more. */
  private async abandon(): Promise<void> {
    this.isLockLost = true;
    this.maintenance.stop();
    this.diskSpace.stop();
    await this.engine.abandon(new SqlError('57P01', 'The folder of the embedded database was removed.'));
    await this.server.close(0);
  }

  /** Recreates the socket and owner.json, without which other processes cannot connect. */
  private async restoreSocket(): Promise<void> {
    if (!('paths' in this.storage)) return;
    const { connection } = this;
    const paths = resolvePaths(this.storage.paths.folder);
    if (connection.password === undefined) await listen(this.server, { path: socketPath(connection.host) });
    writeOwnerFile(paths.ownerFile, ownerInfo(connection));
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

const freeSpace = (storage: Storage) =>
  'paths' in storage ? freeSpaceIn(storage.paths.folder) : Promise.resolve(Number.POSITIVE_INFINITY);

function addressOf(storage: Storage, { useTcp }: OwnerOptions, port: number): Address {
  return useTcp ? { host: '127.0.0.1', port } : { path: socketPath(socketOf(storage).host) };
}

function connectionTo(storage: Storage, server: WireServer, password: string | undefined): Connection {
  if (password === undefined) return socketOf(storage);
  return { host: '127.0.0.1', port: server.port, password, user: DATABASE, dbName: DATABASE };
}

function socketOf(storage: Storage): Connection {
  const host = 'paths' in storage ? storage.paths.socketFolder : storage.socketFolder;
  return { host, port: PORT, user: DATABASE, dbName: DATABASE };
}

function ownerInfo({ host, port, password }: Connection): OwnerInfo {
  const secret = password === undefined ? {} : { secret: password };
  return { pid: process.pid, command: processCommand(), since: new Date().toISOString(), host, port, ...secret };
}
