import { createConnection, type Socket } from 'node:net';
import { type OwnerInfo, readOwnerFile } from './data-folder/owner-file.ts';
import { DATABASE, type DataPaths, JOINED_PROCESS, socketPath } from './data-folder/paths.ts';
import type { Connection } from './database-owner.ts';
import * as wire from './protocol.ts';

/** Use of the folder through the process that owns it. One connection stays open, to detect when the owner exits. */
export class OwnerConnection {
  readonly connection: Connection;
  readonly closed: Promise<void>;
  isOpen = true;

  private constructor(
    { host, port, secret }: OwnerInfo,
    private readonly socket: Socket,
  ) {
    const password = secret === undefined ? {} : { password: secret };
    this.connection = { host, port, user: DATABASE, dbName: DATABASE, ...password };
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    socket.once('close', () => {
      this.isOpen = false;
      closed.resolve();
    });
    socket.unref();
  }

  /** Connects to the owner, if it accepts connections. */
  static async tryOpen(paths: DataPaths): Promise<OwnerConnection | undefined> {
    const owner = readOwnerFile(paths.ownerFile);
    if (owner === undefined) return undefined;
    const socket = await connect(owner);
    return socket === undefined ? undefined : new OwnerConnection(owner, socket);
  }

  close(): void {
    this.socket.destroy();
  }
}

function connect({ host, port, secret }: OwnerInfo): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(secret === undefined ? { path: socketPath(host) } : { host, port });
    const reader = new wire.MessageReader();
    const giveUp = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(CONNECT_TIMEOUT, giveUp);
    socket.once('error', giveUp);
    socket.once('close', () => resolve(undefined));
    socket.once('connect', () => {
      const name = `${JOINED_PROCESS} ${process.pid}`;
      socket.write(wire.startupMessage('user', DATABASE, 'database', DATABASE, 'application_name', name));
    });
    socket.on('data', (chunk) => {
      reader.push(chunk);
      for (let message = reader.next(); message !== undefined; message = reader.next()) {
        if (wire.isPasswordRequest(message)) socket.write(wire.password(secret ?? ''));
        else if (message.type === 'Z') {
          socket.setTimeout(0);
          socket.off('error', giveUp);
          socket.on('error', () => socket.destroy());
          resolve(socket);
        }
      }
    });
  });
}

const CONNECT_TIMEOUT = 5000;
