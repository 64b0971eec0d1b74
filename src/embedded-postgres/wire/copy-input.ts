import type { Socket } from 'node:net';
import type { Engine } from '../engine/engine.ts';
import * as wire from '../protocol.ts';

/** What a client sends for its COPY, kept until the engine asks for it. */
export class CopyInput {
  private isUnderWay = false;
  private isWanted = false;
  private isGivenUp = false;
  private data: Buffer[] = [];
  private readonly socket: Socket;
  private readonly engine: Engine;

  constructor(socket: Socket, engine: Engine) {
    this.socket = socket;
    this.engine = engine;
  }

  /** PostgreSQL waits for more. */
  get isAwaited(): boolean {
    return this.isWanted;
  }

  /** Whether a message is part of it. A client may send data before the engine was heard to want them. */
  takes(type: string): boolean {
    if ('dcf'.includes(type)) this.isUnderWay = true;
    return this.isUnderWay && 'dcfSH'.includes(type);
  }

  add(bytes: Buffer): void {
    this.data.push(bytes);
    if (this.isWanted) this.hand();
    else if (this.data.length > 64) this.socket.pause();
  }

  /** The engine wants more. */
  feed(): void {
    this.isUnderWay = true;
    this.isWanted = true;
    if (this.isGivenUp) this.add(wire.message('f', wire.cstring('The client is gone.')));
    else if (this.data.length > 0) this.hand();
    this.socket.resume();
  }

  /** Nothing more comes from the client: what is wanted from now on is told so. */
  giveUp(): void {
    this.isGivenUp = true;
    if (this.isWanted) this.feed();
  }

  end(): void {
    this.isUnderWay = false;
    this.isWanted = false;
    this.data = [];
  }

  private hand(): void {
    this.isWanted = false;
    this.engine.feed(new Uint8Array(Buffer.concat(this.data)));
    this.data = [];
  }
}
