import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { JOINED_BY } from '../data-folder/paths.ts';
import type { Engine } from '../engine/engine.ts';
import * as wire from '../protocol.ts';
import { CopyInput } from './copy-input.ts';
import { milliseconds } from './duration.ts';
import { inTheDisksName, LocksTaken, TransactionLost, toldFault } from './error-responses.ts';
import { type ClientUnit, UnitCollector } from './query-units.ts';
import type { Holder, Turns } from './session-queue.ts';
import { type Belongings, type Session, unitOf } from './shared-session.ts';

/** What all connections share. */
export interface House {
  engine: Engine;
  session: Session;
  turns: Turns;
  /** Milliseconds a statement may take, unless the connection sets `statement_timeout`. */
  statementTimeout: number;
  /** Milliseconds to wait for a turn, or for a restart. */
  patience: number;
  /** Why writes are refused now, if they are: the disk is nearly full. */
  writesRefused(): string | undefined;
}

/** One client, from its first query on. PostgreSQL has one session: a unit runs when it is this client's turn. */
export class ClientConnection implements Holder {
  readonly id: number;
  readonly secret: number;
  readonly closed: Promise<void>;
  private readonly units: ClientUnit[] = [];
  private readonly collector: UnitCollector;
  private readonly preparedNames = new Set<string>();
  private serving: Promise<void> | undefined;
  private status: wire.TransactionStatus = 'I';
  /** Some messages of an extended query have run, and its Sync is still to come. */
  private isMidUnit = false;
  private skipsToSync = false;
  private locksInTransaction = false;
  private runsInEngine = false;
  private generation = 0;
  private lastActive = Date.now();
  private readonly copy: CopyInput;
  private isOver = false;
  private readonly socket: Socket;
  private readonly house: House;
  private readonly mine: Belongings;

  constructor(
    socket: Socket,
    house: House,
    { id, secret, settings }: { id: number; secret: number; settings: Map<string, string> },
  ) {
    this.socket = socket;
    this.house = house;
    this.id = id;
    this.secret = secret;
    this.mine = { settings, statements: new Map(), unnamed: undefined, unsettled: false };
    this.collector = new UnitCollector(id);
    this.copy = new CopyInput(socket, house.engine);
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    socket.once('close', () => void this.leave().then(closed.resolve, closed.resolve));
  }

  /** It is another process's sign that it uses the folder through this one. */
  get isJoined(): boolean {
    return !this.isOver && this.mine.settings.get('application_name')?.startsWith(JOINED_BY) === true;
  }

  get isInTransaction(): boolean {
    return this.status !== 'I' || this.isMidUnit;
  }

  receive(message: wire.Message): void {
    if (this.isOver) return;
    this.lastActive = Date.now();
    if (message.type === 'X') this.hangUp();
    else if (this.runsInEngine && this.copy.takes(message.type)) this.copy.add(message.bytes);
    else if ('QPBDECSHF'.includes(message.type)) this.collect(message);
    // What is left of a COPY that failed is skipped, as PostgreSQL does.
    else if (!'dcf'.includes(message.type))
      this.fatal({ code: '08P01', message: `"${message.type}" is no message of PostgreSQL's protocol.` });
  }

  /** It does nothing, or PostgreSQL waits for it: to send more of a COPY, or to take what it was answered. */
  idleFor(): number {
    const isAwaited = this.serving === undefined || this.copy.isAwaited || this.socket.writableLength > 0;
    return isAwaited ? Date.now() - this.lastActive : 0;
  }

  evict(): void {
    const message =
      'The transaction was ended: it did nothing while other connections waited for the embedded database.';
    this.fatal({ code: '25P03', message });
  }

  /** Ends what this client runs or waits for, as CancelRequest asks. */
  cancel(): void {
    if (this.runsInEngine) this.house.engine.cancel('57014', 'The statement was cancelled on request.');
    else this.house.turns.refuse(this, 'it was cancelled on request');
  }

  fatal(fault: wire.Fault): void {
    if (this.isOver) return;
    this.socket.write(wire.errorResponse({ ...fault, severity: 'FATAL' }));
    this.hangUp();
  }

  private hangUp(): void {
    this.isOver = true;
    this.units.length = 0;
    this.copy.giveUp();
    this.socket.destroySoon();
    // A client that takes nothing would keep its connection, and with it the session, for ever.
    setTimeout(() => this.socket.destroy(), LAST_WORDS).unref();
  }

  private collect(message: wire.Message): void {
    if (this.skipsToSync) {
      if (message.type !== 'S') return;
      this.skipsToSync = false;
      this.socket.write(wire.readyForQuery(this.status));
      return;
    }
    const unit = this.collector.add(message);
    if (unit === undefined) return;
    this.units.push(unit);
    if (this.units.length > 64) this.socket.pause(); // a client that sends ahead and reads nothing must not fill memory
    this.serving ??= this.serveAll();
  }

  private async serveAll(): Promise<void> {
    for (let unit = this.units.shift(); unit !== undefined; unit = this.units.shift()) {
      await this.serve(unit).catch((error: unknown) => this.answerFault(unit as ClientUnit, error));
    }
    this.serving = undefined;
    this.lastActive = Date.now();
    if (!this.isOver) this.socket.resume();
  }

  private async serve(unit: ClientUnit): Promise<void> {
    const { engine, turns, patience } = this.house;
    const wasInTransaction = this.isInTransaction;
    await turns.take(this, patience);
    try {
      if (unit.locks) await this.waitForLocks(unit);
      await engine.whenOpen(patience);
      if (wasInTransaction && this.generation !== engine.generation) throw new TransactionLost();
      this.generation = engine.generation;
      // In the midst of a transaction the session is this client's already, and settings must not change under it.
      if (!wasInTransaction) await this.dress(unit);
      await this.run(unit);
    } catch (error) {
      if (this.isInTransaction) this.fatal(toldFault(error));
      throw error;
    } finally {
      if (!this.isInTransaction) turns.give(this);
    }
  }

  /**
   * One client at a time has session-level advisory locks, whichever they are: another's wait, as far as they may.
   * It waits without the turn, or the holder could not give them back.
   */
  private async waitForLocks({ triesLocks }: ClientUnit): Promise<void> {
    const { session, turns, patience } = this.house;
    const until = triesLocks || this.isInTransaction ? 0 : Date.now() + patience;
    while (session.areLocksTaken(this.mine)) {
      if (!this.isInTransaction) turns.give(this);
      if (Date.now() >= until) throw new LocksTaken();
      await sleep(10);
      await turns.take(this, patience);
    }
  }

  private async dress(unit: ClientUnit): Promise<void> {
    const readOnly = this.house.writesRefused() !== undefined;
    await this.house.session.dress(this.mine, { usesUnnamed: unit.usesEarlierUnnamed, readOnly });
  }

  private async run(unit: ClientUnit): Promise<void> {
    const { engine, session } = this.house;
    this.runsInEngine = true;
    try {
      const outcome = await engine.run({
        ...unitOf(unit.messages, this.deadline()),
        onOutput: (bytes, taken) => this.answer(bytes, taken),
        onHungry: () => {
          this.lastActive = Date.now();
          this.copy.feed();
        },
      });
      this.runsInEngine = false;
      this.remember(unit, outcome.failed);
      this.isMidUnit = !unit.endsReady;
      if (!unit.endsReady) return;
      this.status = outcome.status;
      await session.undress(this.mine, outcome, unit);
      this.locksInTransaction ||= unit.locks;
      if (!this.locksInTransaction || this.status !== 'I') return;
      this.locksInTransaction = false;
      await session.noteLocks(this.mine);
    } finally {
      this.runsInEngine = false;
      this.copy.end();
    }
  }

  private deadline(): number {
    const own = this.mine.settings.get('statement_timeout');
    return own === undefined ? this.house.statementTimeout : milliseconds(own);
  }

  private remember({ prepares, closes, unnamed }: ClientUnit, failed: boolean): void {
    for (const name of prepares.keys()) this.preparedNames.add(name);
    if (failed) return;
    for (const [name, parse] of prepares) this.mine.statements.set(name, parse);
    for (const name of closes) this.mine.statements.delete(name);
    if (unnamed !== undefined) this.mine.unnamed = unnamed;
  }

  private answer(bytes: Buffer, taken: () => void): void {
    if (this.isOver || this.socket.destroyed) {
      taken();
      return;
    }
    const refused = this.house.writesRefused();
    if (this.socket.writableLength === 0) this.lastActive = Date.now();
    this.socket.write(refused === undefined ? bytes : inTheDisksName(bytes, refused), () => {
      this.lastActive = Date.now();
      taken();
    });
  }

  private answerFault(unit: ClientUnit, error: unknown): void {
    if (this.isOver) return;
    this.socket.write(wire.errorResponse(toldFault(error)));
    if (unit.endsReady) this.socket.write(wire.readyForQuery('I'));
    else this.skipsToSync = true;
  }

  /** The client is gone: what it left in the session goes too. */
  private async leave(): Promise<void> {
    const { engine, session, turns } = this.house;
    this.isOver = true;
    this.units.length = 0;
    turns.refuse(this, 'its client is gone');
    this.copy.giveUp();
    await this.serving;
    if (this.generation !== engine.generation) return turns.give(this);
    const leftovers = session.leftoversOf(this.mine, {
      inTransaction: this.isInTransaction,
      locked: this.locksInTransaction,
    });
    for (const name of this.preparedNames) leftovers.push(wire.message('C', Buffer.from('S'), wire.cstring(name)));
    if (this.preparedNames.size > 0) leftovers.push(wire.sync());
    if (leftovers.length === 0) return turns.give(this);
    try {
      await turns.take(this, 0);
      if (engine.state === 'open' && this.generation === engine.generation) await session.ask(leftovers);
    } finally {
      turns.give(this);
    }
  }
}

/** Milliseconds for a client to take what it was told last. */
const LAST_WORDS = 1000;
