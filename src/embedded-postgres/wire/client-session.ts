import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, EngineRequest } from '../engine/engine.ts';
import * as wire from '../protocol.ts';
import { parseMilliseconds } from './duration.ts';
import type { QueryBatch } from './query-batch.ts';
import type { SessionHolder, SessionQueue } from './session-queue.ts';
import { engineRequest, newClientState, type SharedSession } from './shared-session.ts';

/** What all connections share. */
export interface SharedEngine {
  engine: Engine;
  session: SharedSession;
  queue: SessionQueue;
  /** Milliseconds a statement may take, unless the connection sets `statement_timeout`. */
  statementTimeout: number;
  /** Milliseconds to wait for the session, or for a restart. */
  queueTimeout: number;
  /** Why writes are refused, while they are: the disk is nearly full. */
  writeRefusal(): string | undefined;
}

export interface BatchEvents extends Required<Pick<EngineRequest, 'onOutput' | 'onCopyRequest'>> {
  onEnd(): void;
}

/** Runs the batches of one client in the shared session, which it holds for a batch or a transaction. */
export class ClientSession {
  /** Whether the engine runs a batch of this client now. */
  isRunning = false;
  private status: wire.TransactionStatus = 'I';
  /** Part of an extended query has run, and its Sync has not. */
  private isMidQuery = false;
  private usedLocks = false;
  private generation = 0;
  private readonly preparedNames = new Set<string>();
  private readonly state;

  constructor(
    private readonly shared: SharedEngine,
    private readonly holder: SessionHolder,
    settings: Map<string, string>,
  ) {
    this.state = newClientState(settings);
  }

  get isInTransaction(): boolean {
    return this.status !== 'I' || this.isMidQuery;
  }

  get transactionStatus(): wire.TransactionStatus {
    return this.status;
  }

  get applicationName(): string | undefined {
    return this.state.settings.get('application_name');
  }

  async run(batch: QueryBatch, events: BatchEvents): Promise<void> {
    const { engine, session, queue, queueTimeout, writeRefusal } = this.shared;
    const wasInTransaction = this.isInTransaction;
    await queue.acquire(this.holder, queueTimeout);
    try {
      if (batch.usesLocks) await this.waitForLocks(batch);
      await engine.untilOpen(queueTimeout);
      if (wasInTransaction && this.generation !== engine.generation) {
        throw new wire.SqlError(
          '57P02',
          'The embedded database restarted during the transaction, which is rolled back.',
        );
      }
      this.generation = engine.generation;
      // Within a transaction the session is already this client's, and applying settings would change the transaction's.
      if (!wasInTransaction) {
        const readOnly = writeRefusal() !== undefined;
        await session.apply(this.state, { usesUnnamed: batch.usesEarlierUnnamed, readOnly });
      }
      await this.runInEngine(batch, events);
    } finally {
      if (!this.isInTransaction) queue.release(this.holder);
    }
  }

  /** Removes from the session what a client that disconnected left in it. */
  async end(): Promise<void> {
    const { engine, session, queue } = this.shared;
    if (this.generation !== engine.generation) return queue.release(this.holder);
    const messages = session.cleanupOf(this.state, { inTransaction: this.isInTransaction, usedLocks: this.usedLocks });
    for (const name of this.preparedNames) messages.push(wire.message('C', Buffer.from('S'), wire.cstring(name)));
    if (this.preparedNames.size > 0) messages.push(wire.sync());
    if (messages.length === 0) return queue.release(this.holder);
    try {
      await queue.acquire(this.holder, 0);
      if (engine.state === 'open' && this.generation === engine.generation) await session.run(messages);
    } finally {
      queue.release(this.holder);
    }
  }

  /**
   * One client at a time holds session-level advisory locks, whatever their keys: others wait, unless they only try.
   * They release the session while they wait, or the holder could not unlock.
   */
  private async waitForLocks({ triesLocks }: QueryBatch): Promise<void> {
    const { session, queue, queueTimeout } = this.shared;
    const until = triesLocks || this.isInTransaction ? 0 : Date.now() + queueTimeout;
    while (session.areLocksHeldByAnother(this.state)) {
      if (!this.isInTransaction) queue.release(this.holder);
      if (Date.now() >= until) {
        const message = 'Another connection holds session-level advisory locks; only one may at a time.';
        throw new wire.SqlError('55P03', message);
      }
      await sleep(LOCK_CHECK_INTERVAL);
      await queue.acquire(this.holder, queueTimeout);
    }
  }

  private async runInEngine(batch: QueryBatch, { onEnd, ...events }: BatchEvents): Promise<void> {
    const { engine, session, statementTimeout } = this.shared;
    const ownTimeout = this.state.settings.get('statement_timeout');
    const timeout = ownTimeout === undefined ? statementTimeout : parseMilliseconds(ownTimeout);
    this.isRunning = true;
    try {
      const result = await engine.run({ ...engineRequest(batch.messages, timeout), ...events });
      this.isRunning = false;
      this.recordStatements(batch, result.failed);
      this.isMidQuery = !batch.expectsReady;
      if (!batch.expectsReady) return;
      this.status = result.status;
      await session.capture(this.state, result, batch);
      this.usedLocks ||= batch.usesLocks;
      if (!this.usedLocks || this.status !== 'I') return;
      this.usedLocks = false;
      await session.captureLocks(this.state);
    } finally {
      this.isRunning = false;
      onEnd();
    }
  }

  private recordStatements({ prepares, closes, unnamed }: QueryBatch, failed: boolean): void {
    for (const name of prepares.keys()) this.preparedNames.add(name);
    if (failed) return;
    for (const [name, parse] of prepares) this.state.statements.set(name, parse);
    for (const name of closes) this.state.statements.delete(name);
    if (unnamed !== undefined) this.state.unnamed = unnamed;
  }
}

const LOCK_CHECK_INTERVAL = 10;
