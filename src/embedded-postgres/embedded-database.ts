import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FolderLock, type Owner, readOwner } from './data-folder/lock.ts';
import { type Places, placesOf } from './data-folder/paths.ts';
import type { EngineState } from './engine/engine.ts';
import { Joining } from './joined.ts';
import { type Connection, Owning, type OwningOptions } from './owner.ts';

export interface EmbeddedOptions {
  /** Where the data lie, or `memory` for a database that ends with the process. */
  folder: string | 'memory';
  /** Commits reach the disk before they are acknowledged. Only tests should turn it off. */
  durable?: boolean;
  /**
   * `share` uses the folder through the process that has it, if one has; `own` waits for it `ownWithin` ms and then
   * fails, saying which process that is.
   */
  use?: 'share' | 'own';
  ownWithin?: number;
  /** Milliseconds in which the process that has the folder must answer; a first start takes its time. */
  joinWithin?: number;
  /** Milliseconds a statement may take, unless its connection sets `statement_timeout`; 0 for no limit. */
  statementDeadline?: number;
  /** Milliseconds a statement waits for its turn, or for a restart, before it fails. */
  patience?: number;
  /** Milliseconds a transaction may do nothing while others wait. */
  idleInTransaction?: number;
  /** Serve on 127.0.0.1 with a secret, in place of a socket in the file system. */
  overLoopback?: boolean;
  /** A copy made by `dumpDataDir`, for a folder that has no data yet. */
  loadFrom?: Uint8Array;
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
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const owning = withDefaults(options);
  if (options.durable === false && options.folder !== 'memory') {
    owning.log(`embedded database: NOT durable, a power cut loses data in ${options.folder}.`);
  }
  if (options.folder === 'memory') {
    const socketFolder = mkdtempSync(join(tmpdir(), 'conduit-memory-'));
    return new EmbeddedDatabase(undefined, owning, await Owning.begin({ memory: true, socketFolder }, owning));
  }
  const places = placesOf(options.folder);
  const mayJoin = options.use !== 'own';
  const asked = Date.now();
  const until = asked + (mayJoin ? (options.joinWithin ?? 120_000) : (options.ownWithin ?? 5000));
  for (let isTold = false; ; ) {
    const role = await ownOrJoin(places, owning, mayJoin);
    if (role !== undefined) return new EmbeddedDatabase(places, owning, role);
    if (Date.now() >= until) throw new DatabaseIsHeld(places.folder, readOwner(places.owner));
    if (mayJoin && !isTold && Date.now() > asked + 3000) {
      owning.log(`embedded database: waiting for ${nameOf(readOwner(places.owner))}, to answer.`);
      isTold = true;
    }
    await sleep(50);
  }
}

export class DatabaseIsHeld extends Error {
  readonly owner: Owner | undefined;

  constructor(folder: string, owner: Owner | undefined) {
    super(`The database in ${folder} is held by ${nameOf(owner)}. Stop it, or name another folder.`);
    this.owner = owner;
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
  private readonly atExit = () => void this.close({ lingers: true });

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

  /** A copy of all data, for `loadFrom`. Only the owner can make it. */
  async dumpDataDir(): Promise<Buffer> {
    if (this.role instanceof Owning) return await this.role.dumpDataDir();
    throw new Error('Only the process that owns the embedded database can copy its folder.');
  }

  /** A command stays, once it has done its work, for those that joined it: `lingers` says so. */
  async close({ lingers = false, ...options }: { patience?: number; lingers?: boolean } = {}): Promise<void> {
    if (this.isClosed) return;
    process.off('beforeExit', this.atExit);
    if (lingers) await this.untilNobodyIsJoined();
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

function withDefaults(options: EmbeddedOptions): OwningOptions {
  return {
    durable: options.durable ?? true,
    statementDeadline: options.statementDeadline ?? 30_000,
    patience: options.patience ?? 15_000,
    idleInTransaction: options.idleInTransaction ?? 10_000,
    overLoopback: options.overLoopback ?? process.platform === 'win32',
    log: options.log ?? (() => {}),
    ...(options.spaceLeft === undefined ? {} : { spaceLeft: options.spaceLeft }),
    ...(options.loadFrom === undefined ? {} : { loadFrom: options.loadFrom }),
  };
}
