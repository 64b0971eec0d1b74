import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FolderLock, type Owner, readOwner } from './data-folder/lock.ts';
import { DataFolderError, type Places, placesOf } from './data-folder/paths.ts';
import { dumpSql } from './dump/dump.ts';
import { type RestoreOptions, restoreSql } from './dump/restore.ts';
import type { EngineState } from './engine/engine.ts';
import { Joining } from './joined.ts';
import { type Connection, Owning, type OwningOptions } from './owner.ts';

export interface EmbeddedDatabaseOptions {
  /** Where the data lie, or `memory` for a database that ends with the process. */
  folder: string | 'memory';
  /** Commits reach the disk before they are acknowledged. Only tests should turn it off. */
  durable?: boolean;
  /** Fail if another process owns the folder, instead of connecting through that process. */
  requireOwnership?: boolean;
  /** Milliseconds to wait for the process that owns the folder: to exit (5,000), or to respond (120,000). */
  openTimeout?: number;
  /** Milliseconds a statement may take, unless its connection sets `statement_timeout`; 0 for no limit. */
  statementTimeout?: number;
  /** Milliseconds a statement waits for its turn, or for a restart, before it fails. */
  patience?: number;
  /** Milliseconds a transaction may do nothing while others wait. */
  idleInTransactionTimeout?: number;
  /** Serve on 127.0.0.1 with a secret, in place of a socket in the file system. */
  useTcp?: boolean;
  /** A copy made by `dumpDataDir`, for a folder that has no data yet. */
  loadDataDir?: Uint8Array;
  /** Bytes left where the data lie; tests have a disk of their own making. */
  spaceLeft?: () => Promise<number>;
  log?: (line: string) => void;
}

export interface EmbeddedHealth {
  /** Whether a statement sent now can expect an answer soon. */
  isReady: boolean;
  isOwner: boolean;
  state: EngineState | 'joined' | 'looking for the owner';
  /** Milliseconds that the statement under way has taken. */
  busyFor: number;
  waiting: number;
  restarts: number;
  lastFault?: string;
}

/** How long a statement may keep everyone else waiting before the database counts as not ready. */
const UNREADY_AFTER = 2000;

/** Opens the embedded database, or joins the process that has it open; answers when it accepts connections. */
export async function openEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
  const owning = withDefaults(options);
  if (options.durable === false && options.folder !== 'memory') {
    owning.log(`embedded database: NOT durable, a power cut loses data in ${options.folder}.`);
  }
  if (options.folder === 'memory') {
    const socketFolder = mkdtempSync(join(tmpdir(), 'conduit-memory-'));
    return new EmbeddedDatabase(undefined, owning, await Owning.begin({ memory: true, socketFolder }, owning));
  }
  const places = placesOf(options.folder);
  const mayJoin = options.requireOwnership !== true;
  const asked = Date.now();
  const until = asked + (options.openTimeout ?? (mayJoin ? 120_000 : 5000));
  for (let isTold = false; ; ) {
    const role = await ownOrJoin(places, owning, mayJoin);
    if (role !== undefined) return new EmbeddedDatabase(places, owning, role);
    if (Date.now() >= until) throw new DataFolderInUseError(places.folder, readOwner(places.owner));
    if (mayJoin && !isTold && Date.now() > asked + 3000) {
      owning.log(`embedded database: waiting for ${nameOf(readOwner(places.owner))}, to answer.`);
      isTold = true;
    }
    await sleep(50);
  }
}

export { DataFolderError };

export class DataFolderInUseError extends DataFolderError {
  constructor(folder: string, owner: Owner | undefined) {
    super(`The database in ${folder} is in use by ${nameOf(owner)}. Stop that process, or choose another folder.`);
  }
}

const nameOf = (owner: Owner | undefined) =>
  owner === undefined ? 'another process' : `process ${owner.pid} (${owner.command}), since ${owner.since}`;

/** An open embedded database: this process owns it, or uses it through its owner, and takes over when that one goes. */
export class EmbeddedDatabase {
  private role: Owning | Joining | undefined;
  private isClosed = false;
  private lastConnection: Connection;
  private readonly places: Places | undefined;
  private readonly owning: OwningOptions;
  private readonly atExit = () => void this.close({ waitForClients: true });

  constructor(places: Places | undefined, owning: OwningOptions, role: Owning | Joining) {
    this.places = places;
    this.owning = owning;
    this.role = role;
    this.lastConnection = role.connection;
    process.once('beforeExit', this.atExit);
    this.watchOwner();
  }

  /** How to connect. It outlives a change of owner, except over loopback, where the port may be another. */
  get connection(): Connection {
    return this.lastConnection;
  }

  get isOwner(): boolean {
    return this.role instanceof Owning;
  }

  health(): EmbeddedHealth {
    const { role } = this;
    if (role instanceof Owning) {
      const { state, isBusy, since, restarts, lastFault } = role.engine;
      const busyFor = isBusy ? Date.now() - since : 0;
      const isReady = state === 'open' && busyFor < UNREADY_AFTER;
      const fault = lastFault === undefined ? {} : { lastFault };
      return { isReady, isOwner: true, state, busyFor, waiting: role.turns.waiting, restarts, ...fault };
    }
    const isReady = role?.isUp === true;
    const state = isReady ? 'joined' : this.isClosed ? 'closed' : 'looking for the owner';
    return { isReady, isOwner: false, state, busyFor: 0, waiting: 0, restarts: 0 };
  }

  /** The database as plain SQL that `psql` loads into PostgreSQL 15 or later. */
  dumpSql(onTable?: (table: string) => void): Promise<string> {
    return dumpSql(this.connection, onTable);
  }

  /** Loads a plain SQL dump in one transaction. */
  restoreSql(script: AsyncIterable<string>, options?: RestoreOptions): Promise<void> {
    return restoreSql(this.connection, script, options);
  }

  /** A copy of all data, for `loadDataDir`. Only the owner can make it. */
  async dumpDataDir(): Promise<Buffer> {
    if (this.role instanceof Owning) return await this.role.dumpDataDir();
    throw new Error('Only the process that owns the embedded database can copy its folder.');
  }

  /** A command stays, once it has done its work, for those that joined it: `waitForClients` says so. */
  async close({
    waitForClients = false,
    ...options
  }: {
    patience?: number;
    waitForClients?: boolean;
  } = {}): Promise<void> {
    if (this.isClosed) return;
    process.off('beforeExit', this.atExit);
    if (waitForClients) await this.untilNobodyIsJoined();
    this.isClosed = true;
    await this.role?.close(options);
  }

  private async untilNobodyIsJoined(): Promise<void> {
    for (let told = 0; this.role instanceof Owning && this.role.joined > 0; await sleep(20)) {
      if (told !== this.role.joined)
        this.owning.log(`embedded database: stays for ${this.role.joined} others that use it through this process.`);
      told = this.role.joined;
    }
  }

  private watchOwner(): void {
    if (this.role instanceof Joining) void this.role.ownerGone.then(() => this.takeOver());
  }

  /** The owner is gone. Whoever gets the lock is the next one, on the same socket, so that everyone's pools reconnect. */
  private async takeOver(): Promise<void> {
    this.role = undefined;
    let told = '';
    while (!this.isClosed && this.places !== undefined) {
      try {
        const role = await ownOrJoin(this.places, this.owning, true);
        if (role !== undefined) {
          if (this.isClosed) return void (await role.close());
          this.role = role;
          this.lastConnection = role.connection;
          if (role instanceof Owning) this.owning.log('embedded database: its owner went, this process owns it now.');
          return this.watchOwner();
        }
      } catch (error) {
        const fault = error instanceof Error ? error.message : String(error);
        if (fault !== told) this.owning.log(`embedded database: ${fault}`);
        told = fault;
        await sleep(1000, undefined, { ref: false });
      }
      await sleep(20, undefined, { ref: false });
    }
  }
}

async function ownOrJoin(
  places: Places,
  options: OwningOptions,
  mayJoin: boolean,
): Promise<Owning | Joining | undefined> {
  const lock = FolderLock.take(places.lock);
  if (lock === undefined) return mayJoin ? await Joining.tryTo(places) : undefined;
  try {
    const before = readOwner(places.owner);
    return await Owning.begin({ places, lock }, options, before?.secret === undefined ? 0 : before.port);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function withDefaults(options: EmbeddedDatabaseOptions): OwningOptions {
  return {
    durable: options.durable ?? true,
    statementTimeout: options.statementTimeout ?? 30_000,
    patience: options.patience ?? 15_000,
    idleInTransactionTimeout: options.idleInTransactionTimeout ?? 10_000,
    useTcp: options.useTcp ?? process.platform === 'win32',
    log: options.log ?? (() => {}),
    ...(options.spaceLeft === undefined ? {} : { spaceLeft: options.spaceLeft }),
    ...(options.loadDataDir === undefined ? {} : { loadDataDir: options.loadDataDir }),
  };
}
