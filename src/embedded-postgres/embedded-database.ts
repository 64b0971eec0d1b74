import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FolderLock } from './data-folder/folder-lock.ts';
import { type OwnerInfo, readOwnerFile } from './data-folder/owner-file.ts';
import { DataFolderError, type DataPaths, resolvePaths } from './data-folder/paths.ts';
import { type Connection, DatabaseOwner, type OwnerOptions } from './database-owner.ts';
import { dumpSql } from './dump/dump.ts';
import { type RestoreOptions, restoreSql } from './dump/restore.ts';
import type { EngineState } from './engine/engine.ts';
import { OwnerConnection } from './owner-connection.ts';

export interface EmbeddedDatabaseOptions {
  /** The data folder, or `memory` for a database that ends with the process. */
  folder: string | 'memory';
  /** Commits reach the disk before they are acknowledged. Only tests should turn it off. */
  durable?: boolean;
  /** Fail if another process owns the folder, instead of connecting through that process. */
  requireOwnership?: boolean;
  /** Milliseconds to wait for the process that owns the folder: to exit (5,000), or to accept connections (120,000). */
  openTimeout?: number;
  /** Milliseconds a statement may take, unless its connection sets `statement_timeout`; 0 for no limit. */
  statementTimeout?: number;
  /** Milliseconds a statement waits for other connections, or for a restart, before it fails. */
  queueTimeout?: number;
  /** Milliseconds a transaction may be idle while others wait. */
  idleInTransactionTimeout?: number;
  /** Listen on 127.0.0.1 with a password, instead of on a Unix socket. */
  useTcp?: boolean;
  /** A copy made by `dumpDataDir`, for a folder that has no data yet. */
  loadDataDir?: Uint8Array;
  /** Free bytes on the disk of the data; replaced in tests. */
  freeSpace?: () => Promise<number>;
  log?: (line: string) => void;
}

export interface EmbeddedDatabaseHealth {
  /** Whether a statement sent now can expect a result soon. */
  isReady: boolean;
  isOwner: boolean;
  state: EngineState | 'joined' | 'reconnecting';
  /** Milliseconds that the running statement has taken. */
  busyFor: number;
  waiting: number;
  restarts: number;
  lastError?: string;
}

/** How long a statement may run before the database counts as not ready, since all others wait for it. */
const UNREADY_AFTER = 2000;

/** Opens the embedded database, or connects through the process that owns it. Resolves once it accepts connections. */
export async function openEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const ownerOptions = withDefaults(options);
  const { log } = ownerOptions;
  if (options.durable === false && options.folder !== 'memory') {
    log(`embedded database: NOT durable, a power cut loses data in ${options.folder}.`);
  }
  if (options.folder === 'memory') {
    const socketFolder = mkdtempSync(join(tmpdir(), 'conduit-memory-'));
    const owner = await DatabaseOwner.start({ memory: true, socketFolder }, ownerOptions);
    return new EmbeddedDatabase(undefined, ownerOptions, owner);
  }
  const paths = resolvePaths(options.folder);
  const mayJoin = options.requireOwnership !== true;
  const startedAt = Date.now();
  const until = startedAt + (options.openTimeout ?? (mayJoin ? 120_000 : 5000));
  for (let isLogged = false; ; ) {
    const role = await ownOrJoin(paths, ownerOptions, mayJoin);
    if (role !== undefined) return new EmbeddedDatabase(paths, ownerOptions, role);
    if (Date.now() >= until) throw new DataFolderInUseError(paths.folder, readOwnerFile(paths.ownerFile));
    if (mayJoin && !isLogged && Date.now() > startedAt + 3000) {
      log(`embedded database: waiting for ${describe(readOwnerFile(paths.ownerFile))} to accept connections.`);
      isLogged = true;
    }
    await sleep(50);
  }
}

export { DataFolderError };

export class DataFolderInUseError extends DataFolderError {
  constructor(folder: string, owner: OwnerInfo | undefined) {
    super(`The database in ${folder} is in use by ${describe(owner)}. Stop that process, or choose another folder.`);
  }
}

const describe = (owner: OwnerInfo | undefined) =>
  owner === undefined ? 'another process' : `process ${owner.pid} (${owner.command}, since ${owner.since})`;

/** An open embedded database. This process owns it, or uses it through its owner and takes over when the owner exits. */
export class EmbeddedDatabase {
  private role: DatabaseOwner | OwnerConnection | undefined;
  private isClosed = false;
  private lastConnection: Connection;
  private readonly onExit = () => void this.close({ waitForClients: true });

  constructor(
    private readonly paths: DataPaths | undefined,
    private readonly options: OwnerOptions,
    role: DatabaseOwner | OwnerConnection,
  ) {
    this.role = role;
    this.lastConnection = role.connection;
    process.once('beforeExit', this.onExit);
    this.watchOwner();
  }

  /** How to connect. It stays the same when the owner changes, except for the port over TCP. */
  get connection(): Connection {
    return this.lastConnection;
  }

  get isOwner(): boolean {
    return this.role instanceof DatabaseOwner;
  }

  health(): EmbeddedDatabaseHealth {
    const { role } = this;
    if (role instanceof DatabaseOwner) {
      const { state, busyFor, restarts, lastError } = role.engine;
      const isReady = state === 'open' && busyFor < UNREADY_AFTER;
      const error = lastError === undefined ? {} : { lastError };
      return { isReady, isOwner: true, state, busyFor, waiting: role.queue.waiting, restarts, ...error };
    }
    const isReady = role?.isOpen === true;
    const state = isReady ? 'joined' : this.isClosed ? 'closed' : 'reconnecting';
    return { isReady, isOwner: false, state, busyFor: 0, waiting: 0, restarts: 0 };
  }

  /** The database as plain SQL that `psql` loads into PostgreSQL 15 or later. `onTable` is called as each table starts. */
  dumpSql(onTable?: (table: string) => void): Promise<string> {
    return dumpSql(this.connection, onTable);
  }

  /** Loads a plain SQL dump in one transaction, so that a dump that fails changes nothing. */
  restoreSql(script: AsyncIterable<string>, options?: RestoreOptions): Promise<void> {
    return restoreSql(this.connection, script, options);
  }

  /** A copy of the data folder, for `loadDataDir`. Only the owner can make it. */
  async dumpDataDir(): Promise<Buffer> {
    if (this.role instanceof DatabaseOwner) return await this.role.dumpDataDir();
    throw new Error('Only the process that owns the embedded database can copy its folder.');
  }

  /** With `waitForClients`, stays open until no other process uses the folder through this one: for commands. */
  async close({
    waitForClients = false,
    ...options
  }: {
    waitForClients?: boolean;
    transactionTimeout?: number;
  } = {}): Promise<void> {
    if (this.isClosed) return;
    process.off('beforeExit', this.onExit);
    if (waitForClients) await this.untilNoProcessIsJoined();
    this.isClosed = true;
    await this.role?.close(options);
  }

  private async untilNoProcessIsJoined(): Promise<void> {
    for (let logged = 0; this.role instanceof DatabaseOwner && this.role.joinedProcesses > 0; await sleep(20)) {
      const joined = this.role.joinedProcesses;
      if (logged !== joined) {
        this.options.log(`embedded database: waiting for ${joined} other processes that use it through this one.`);
      }
      logged = joined;
    }
  }

  private watchOwner(): void {
    if (this.role instanceof OwnerConnection) void this.role.closed.then(() => this.takeOver());
  }

  /** After the owner has exited: the process that gets the lock owns the same socket, so all pools can reconnect. */
  private async takeOver(): Promise<void> {
    this.role = undefined;
    let logged = '';
    while (!this.isClosed && this.paths !== undefined) {
      try {
        const role = await ownOrJoin(this.paths, this.options, true);
        if (role !== undefined) {
          if (this.isClosed) return void (await role.close());
          this.role = role;
          this.lastConnection = role.connection;
          if (this.isOwner) this.options.log('embedded database: the owner exited, this process owns it now.');
          return this.watchOwner();
        }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (message !== logged) this.options.log(`embedded database: ${message}`);
        logged = message;
        await sleep(1000, undefined, { ref: false });
      }
      await sleep(20, undefined, { ref: false });
    }
  }
}

async function ownOrJoin(
  paths: DataPaths,
  options: OwnerOptions,
  mayJoin: boolean,
): Promise<DatabaseOwner | OwnerConnection | undefined> {
  const lock = FolderLock.tryAcquire(paths.lock);
  if (lock === undefined) return mayJoin ? await OwnerConnection.tryOpen(paths) : undefined;
  try {
    const previous = readOwnerFile(paths.ownerFile);
    return await DatabaseOwner.start({ paths, lock }, options, previous?.secret === undefined ? 0 : previous.port);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function withDefaults(options: EmbeddedDatabaseOptions): OwnerOptions {
  return {
    durable: options.durable ?? true,
    statementTimeout: options.statementTimeout ?? 30_000,
    queueTimeout: options.queueTimeout ?? 15_000,
    idleInTransactionTimeout: options.idleInTransactionTimeout ?? 10_000,
    useTcp: options.useTcp ?? process.platform === 'win32',
    log: options.log ?? (() => {}),
    ...(options.freeSpace === undefined ? {} : { freeSpace: options.freeSpace }),
    ...(options.loadDataDir === undefined ? {} : { loadDataDir: options.loadDataDir }),
  };
}
