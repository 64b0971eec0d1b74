import type { Socket } from 'node:net';
import type { Engine } from '../engine/engine.ts';
import * as wire from '../protocol.ts';

/** Buffers the data a client sends for its COPY until the engine asks for it. */
export class CopyInput {
  private isActive = false;
  private isRequested = false;
  private isAborted = false;
  private data: Buffer[] = [];

  constructor(
    private readonly socket: Socket,
    private readonly engine: Engine,
  ) {}

  /** PostgreSQL waits for more data. */
  get isAwaited(): boolean {
    return this.isRequested;
  }

  /** Whether a message belongs to the COPY. A client may send data before the engine has asked for it. */
  accepts(type: string): boolean {
    if ('dcf'.includes(type)) this.isActive = true;
    return this.isActive && 'dcfSH'.includes(type);
  }

  add(bytes: Buffer): void {
    this.data.push(bytes);
    if (this.isRequested) this.send();
    else if (this.data.length > MAX_BUFFERED) this.socket.pause();
  }

  /** The engine asks for more. */
  request(): void {
    this.isActive = true;
    this.isRequested = true;
    if (this.isAborted) this.add(wire.message('f', wire.cstring('The client disconnected.')));
    else if (this.data.length > 0) this.send();
    this.socket.resume();
  }

  /** The client sends nothing more: from now on, requests fail the COPY. */
  abort(): void {
    this.isAborted = true;
    if (this.isRequested) this.request();
  }

  end(): void {
    this.isActive = false;
    this.isRequested = false;
    this.data = [];
  }

  private send(): void {
    this.isRequested = false;
    this.engine.feed(new Uint8Array(Buffer.concat(this.data)));
    this.data = [];
  }
}

/** Messages. */
const MAX_BUFFERED = 64;
