import { createConnection, type Socket } from 'node:net';
import { socketPath } from '../data-folder/paths.ts';
import type { Connection } from '../database-owner.ts';
import { type Message, MessageReader } from '../protocol.ts';

/** A connection for code that speaks PostgreSQL's protocol itself. */
export class WireClient {
  private readonly reader = new MessageReader();
  private waiting: PromiseWithResolvers<Message> | undefined;
  private error: Error | undefined;
  private readonly socket: Socket;

  constructor({ host, port }: Connection) {
    this.socket = createConnection(host.startsWith('/') ? { path: socketPath(host) } : { host, port });
    this.socket.on('data', (chunk) => {
      this.reader.push(chunk);
      this.deliver();
    });
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('close', () => this.fail(new Error('The database closed the connection.')));
  }

  /** Resolves when the socket can take more. */
  async send(bytes: Uint8Array): Promise<void> {
    if (this.error !== undefined) throw this.error;
    if (this.socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.socket.once('drain', resolve);
      this.socket.once('close', resolve);
    });
  }

  /** The next message; one call at a time. */
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
    else if (this.error !== undefined) this.waiting.reject(this.error);
    else return;
    this.waiting = undefined;
  }

  private fail(error: Error): void {
    this.error ??= error;
    this.deliver();
  }
}
