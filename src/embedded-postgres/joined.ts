import { createConnection, type Socket } from 'node:net';
import { type Owner, readOwner } from './data-folder/lock.ts';
import { DATABASE, JOINED_BY, type Places, socketIn } from './data-folder/paths.ts';
import type { Connection } from './owner.ts';
import * as wire from './protocol.ts';

/** A process that uses the folder through its owner: it keeps one connection open, to notice when the owner goes. */
export class Joining {
  readonly connection: Connection;
  readonly owner: Owner;
  readonly ownerGone: Promise<void>;
  isUp = true;
  private readonly watch: Socket;

  private constructor(owner: Owner, watch: Socket) {
    this.owner = owner;
    this.watch = watch;
    this.connection = {
      host: owner.host,
      port: owner.port,
      user: DATABASE,
      dbName: DATABASE,
      ...(owner.secret === undefined ? {} : { password: owner.secret }),
    };
    const gone = Promise.withResolvers<void>();
    this.ownerGone = gone.promise;
    watch.once('close', () => {
      this.isUp = false;
      gone.resolve();
    });
    watch.unref();
  }

  /** Joins the owner if it answers now. */
  static async tryTo(places: Places): Promise<Joining | undefined> {
    const owner = readOwner(places.owner);
    if (owner === undefined) return undefined;
    const watch = await connected(owner);
    return watch === undefined ? undefined : new Joining(owner, watch);
  }

  close(): void {
    this.watch.destroy();
  }
}

function connected(owner: Owner): Promise<Socket | undefined> {
  const address = owner.secret === undefined ? { path: socketIn(owner.host) } : { host: owner.host, port: owner.port };
  return new Promise((resolve) => {
    const socket = createConnection(address);
    const reader = new wire.MessageReader();
    const giveUp = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(5000, giveUp);
    socket.once('error', giveUp);
    socket.once('close', () => resolve(undefined));
    socket.once('connect', () => socket.write(startupPacket()));
    socket.on('data', (chunk) => {
      reader.push(chunk);
      for (let message = reader.next(); message !== undefined; message = reader.next()) {
        if (message.type === 'R' && message.bytes.readInt32BE(5) === 3) {
          socket.write(wire.message('p', wire.cstring(owner.secret ?? '')));
        } else if (message.type === 'Z') {
          socket.setTimeout(0);
          socket.off('error', giveUp);
          socket.on('error', () => socket.destroy());
          resolve(socket);
        }
      }
    });
  });
}

function startupPacket(): Buffer {
  const fields = ['user', DATABASE, 'database', DATABASE, 'application_name', `${JOINED_BY} ${process.pid}`];
  const body = Buffer.concat([wire.int32(3 << 16), ...fields.map(wire.cstring), Buffer.from([0])]);
  return Buffer.concat([wire.int32(body.length + 4), body]);
}
