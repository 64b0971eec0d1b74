import { createConnection, type Socket } from 'node:net';
import { socketIn } from '../data-folder/paths.ts';
import type { Connection } from '../owner.ts';
import { type Message, MessageReader } from '../protocol.ts';

/** The client's end of a wire, for programs that speak PostgreSQL's protocol themselves. */
export class WireClient {
  private readonly reader = new MessageReader();
  private waiting: PromiseWithResolvers<Message> | undefined;
  private fault: Error | undefined;
  private readonly socket: Socket;

  constructor({ host, port }: Connection) {
    this.socket = createConnection(host.startsWith('/') ? { path: socketIn(host) } : { host, port });
    this.socket.on('data', (chunk) => {
      this.reader.push(chunk);
      this.deliver();
    });
    this.socket.on('error', (error) => this.end(error));
    this.socket.on('close', () => this.end(new Error('The database closed the connection.')));
  }

  /** Resolves when more may be sent without piling up here. */
  async send(bytes: Uint8Array): Promise<void> {
    if (this.fault !== undefined) throw this.fault;
    if (this.socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.socket.once('drain', resolve);
      this.socket.once('close', resolve);
    });
  }

  async next(): Promise<Message> {
    this.waiting = Promise.withResolvers<Message>();
    const { promise } = this.waiting;
    this.deliver();
    return await promise;
  }

  close(): void {
    this.socket.destroy();
  }

  private deliver(): void {
    if (this.waiting === undefined) return;
    const message = this.reader.next();
    if (message !== undefined) this.waiting.resolve(message);
    else if (this.fault !== undefined) this.waiting.reject(this.fault);
    else return;
    this.waiting = undefined;
  }

  private end(fault: Error): void {
    this.fault ??= fault;
    this.deliver();
  }
}
