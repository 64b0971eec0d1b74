import type { Socket } from 'node:net';
import { JOINED_PROCESS } from '../data-folder/paths.ts';
import * as wire from '../protocol.ts';
import { ClientSession, type SharedEngine } from './client-session.ts';
import { CopyInput } from './copy-input.ts';
import { reportDiskFull, toSqlError } from './error-responses.ts';
import { type QueryBatch, QueryBatcher } from './query-batch.ts';
import type { SessionHolder } from './session-queue.ts';

/** One client connection, after its startup: queues the client's batches and sends their results. */
export class ClientConnection implements SessionHolder {
  readonly id: number;
  readonly secret: number;
  readonly closed: Promise<void>;
  private readonly batches: QueryBatch[] = [];
  private readonly batcher: QueryBatcher;
  private readonly session: ClientSession;
  private readonly copy: CopyInput;
  private processing: Promise<void> | undefined;
  private skipsToSync = false;
  private lastActive = Date.now();
  private isEnded = false;

  constructor(
    private readonly socket: Socket,
    private readonly shared: SharedEngine,
    { id, secret, settings }: { id: number; secret: number; settings: Map<string, string> },
  ) {
    this.id = id;
    this.secret = secret;
    this.session = new ClientSession(shared, this, settings);
    this.batcher = new QueryBatcher(id);
    this.copy = new CopyInput(socket, shared.engine);
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    socket.once('close', () => void this.cleanUp().then(closed.resolve, closed.resolve));
  }

  /** Whether another process watches the owner through this connection. */
  get isJoinedProcess(): boolean {
    return !this.isEnded && this.session.applicationName?.startsWith(JOINED_PROCESS) === true;
  }

  get isInTransaction(): boolean {
    return this.session.isInTransaction;
  }

  receive(message: wire.Message): void {
    if (this.isEnded) return;
    this.lastActive = Date.now();
    if (message.type === 'X') this.end();
    else if (this.session.isRunning && this.copy.accepts(message.type)) this.copy.add(message.bytes);
    else if ('QPBDECSHF'.includes(message.type)) this.enqueue(message);
    // The rest of a failed COPY is ignored, as PostgreSQL does.
    else if (!'dcf'.includes(message.type))
      this.fatal(new wire.SqlError('08P01', `Unknown message type "${message.type}".`));
  }

  /** Also idle: a client that does not send the rest of its COPY, or does not read its results. */
  idleFor(): number {
    const isAwaited = this.processing === undefined || this.copy.isAwaited || this.socket.writableLength > 0;
    return isAwaited ? Date.now() - this.lastActive : 0;
  }

  evict(): void {
    const message =
      'The connection was closed: its transaction was idle while others waited for the embedded database.';
    this.fatal(new wire.SqlError('25P03', message));
  }

  /** Ends what this client runs or waits for, for a CancelRequest. */
  cancel(): void {
    const error = new wire.SqlError('57014', 'The statement was cancelled on request.');
    if (this.session.isRunning) this.shared.engine.cancel(error);
    else this.shared.queue.reject(this, error);
  }

  fatal(error: wire.SqlError): void {
    if (this.isEnded) return;
    this.socket.write(wire.errorResponse(error, 'FATAL'));
    this.end();
  }

  private end(): void {
    this.isEnded = true;
    this.batches.length = 0;
    this.copy.abort();
    this.socket.destroySoon();
    // A client that reads nothing would otherwise keep the connection, and with it the session.
    setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT).unref();
  }

  private enqueue(message: wire.Message): void {
    if (this.skipsToSync) {
      if (message.type !== 'S') return;
      this.skipsToSync = false;
      this.socket.write(wire.readyForQuery(this.session.transactionStatus));
      return;
    }
    const batch = this.batcher.add(message);
    if (batch === undefined) return;
    this.batches.push(batch);
    if (this.batches.length > MAX_QUEUED) this.socket.pause(); // bounds the memory of a client that only sends
    this.processing ??= this.process();
  }

  private async process(): Promise<void> {
    for (let batch = this.batches.shift(); batch !== undefined; batch = this.batches.shift()) await this.run(batch);
    this.processing = undefined;
    this.lastActive = Date.now();
    if (!this.isEnded) this.socket.resume();
  }

  private async run(batch: QueryBatch): Promise<void> {
    try {
      await this.session.run(batch, {
        onOutput: (bytes, acknowledge) => this.send(bytes, acknowledge),
        onCopyRequest: () => {
          this.lastActive = Date.now();
          this.copy.request();
        },
        onEnd: () => this.copy.end(),
      });
    } catch (error) {
      if (this.session.isInTransaction) this.fatal(toSqlError(error));
      else this.sendError(batch, toSqlError(error));
    }
  }

  private send(bytes: Buffer, acknowledge: () => void): void {
    if (this.isEnded || this.socket.destroyed) {
      acknowledge();
      return;
    }
    const writeRefusal = this.shared.writeRefusal();
    if (this.socket.writableLength === 0) this.lastActive = Date.now();
    this.socket.write(writeRefusal === undefined ? bytes : reportDiskFull(bytes, writeRefusal), () => {
      this.lastActive = Date.now();
      acknowledge();
    });
  }

  private sendError(batch: QueryBatch, error: wire.SqlError): void {
    if (this.isEnded) return;
    this.socket.write(wire.errorResponse(error));
    if (batch.expectsReady) this.socket.write(wire.readyForQuery('I'));
    else this.skipsToSync = true;
  }

  private async cleanUp(): Promise<void> {
    this.isEnded = true;
    this.batches.length = 0;
    this.shared.queue.reject(this, new wire.SqlError('57P01', 'The client disconnected.'));
    this.copy.abort();
    await this.processing;
    await this.session.end();
  }
}

const MAX_QUEUED = 64;
/** Milliseconds for a client to read the last message. */
const CLOSE_TIMEOUT = 1000;
