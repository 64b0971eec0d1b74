import { randomInt, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DATABASE } from '../data-folder/paths.ts';
import * as wire from '../protocol.ts';
import { ClientConnection } from './client-connection.ts';
import type { SharedEngine } from './client-session.ts';

export type Address = { path: string } | { port: number; host: string };

/** Serves PostgreSQL's wire protocol on a local socket, from PGlite's one session. */
export class WireServer {
  private readonly clients = new Map<number, ClientConnection>();
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private lastId = 0;
  private parameters: [string, string][] | undefined;

  /** `password` is required of every client where file permissions do not restrict access. */
  constructor(
    private readonly shared: SharedEngine,
    private readonly password: string | undefined,
  ) {}

  /** Accepts connections at `address` instead of the previous one. */
  async listen(address: Address): Promise<void> {
    this.parameters ??= await this.reportedParameters();
    this.server?.close();
    const server = createServer({ noDelay: true }, (socket) => this.onConnection(socket)).unref();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address, () => resolve());
    });
    server.on('error', () => {}); // a connection was not accepted because too many files are open
    this.server = server;
  }

  get port(): number {
    const address = this.server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** The number of other processes that use the folder through this one. */
  get joinedProcesses(): number {
    return [...this.clients.values()].filter(({ isJoinedProcess }) => isJoinedProcess).length;
  }

  /** Stops listening, waits up to `transactionTimeout` ms for open transactions, and closes all connections. */
  async close(transactionTimeout: number): Promise<void> {
    this.server?.close();
    await sleep(20); // clients that have just disconnected get no error
    const until = Date.now() + transactionTimeout;
    while (Date.now() < until && [...this.clients.values()].some((client) => client.isInTransaction)) {
      await sleep(20);
    }
    const closed = [...this.clients.values()].map((client) => client.closed);
    const error = new wire.SqlError('57P01', 'The embedded database is closing.');
    for (const client of this.clients.values()) client.fatal(error);
    await Promise.race([Promise.all(closed), sleep(1000, undefined, { ref: false })]);
    for (const socket of this.sockets) socket.destroy();
  }

  private async reportedParameters(): Promise<[string, string][]> {
    const rows = await this.shared.session.query(
      `select name, setting from pg_catalog.pg_settings where name in (${REPORTED_PARAMETERS.map((name) => `'${name}'`).join(', ')})`,
    );
    const settings = rows.map(([name, value]): [string, string] => [name ?? '', value ?? '']);
    return [...settings, ['is_superuser', 'on'], ['session_authorization', DATABASE]];
  }

  private onConnection(socket: Socket): void {
    socket.unref(); // connections do not keep the process alive, so that a command can end
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const reader = new wire.MessageReader({ expectsStartupPacket: true });
    let client: ClientConnection | undefined;
    let startup: Startup | undefined;
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
        for (let message = reader.next(); message !== undefined; message = reader.next()) {
          if (client !== undefined) client.receive(message);
          else if (message.type === '') startup = this.onStartupPacket(socket, message.bytes, reader);
          else if (!this.isPasswordCorrect(message)) return refuse(socket, '28P01', 'The password is wrong.');
          else client = this.accept(socket, startup as Startup);
          if (startup !== undefined && client === undefined && this.password === undefined) {
            client = this.accept(socket, startup);
          }
        }
      } catch (error) {
        refuse(socket, '08P01', error instanceof Error ? error.message : String(error));
      }
    });
  }

  private onStartupPacket(socket: Socket, bytes: Buffer, reader: wire.MessageReader): Startup | undefined {
    const code = bytes.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      socket.write('N');
      return undefined;
    }
    if (code === CANCEL_REQUEST) {
      const client = this.clients.get(bytes.readInt32BE(8));
      if (client?.secret === bytes.readInt32BE(12)) client.cancel();
      socket.end();
      return undefined;
    }
    if (code >> 16 !== 3) return void refuse(socket, '0A000', 'Only version 3 of the protocol is supported.');
    const startup = readStartup(bytes);
    if (startup.database !== DATABASE) {
      const message = `The only database is "${DATABASE}"; "${startup.database}" does not exist.`;
      return void refuse(socket, '3D000', message);
    }
    reader.expectsStartupPacket = false;
    if ((code & 0xffff) > 0) socket.write(wire.message('v', wire.int32(0), wire.int32(0)));
    if (this.password !== undefined) socket.write(wire.authenticationCleartextPassword());
    return startup;
  }

  private isPasswordCorrect({ type, bytes }: wire.Message): boolean {
    const given = Buffer.from(type === 'p' ? wire.readCstring(bytes, 5).text : '');
    const expected = Buffer.from(this.password ?? '');
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  private accept(socket: Socket, { settings }: Startup): ClientConnection {
    this.lastId += 1;
    const client = new ClientConnection(socket, this.shared, { id: this.lastId, secret: randomInt(2 ** 31), settings });
    this.clients.set(client.id, client);
    void client.closed.then(() => this.clients.delete(client.id));
    socket.write(
      Buffer.concat([
        wire.authenticationOk(),
        ...(this.parameters ?? []).map(([name, value]) =>
          wire.parameterStatus(name, settings.get(name.toLowerCase()) ?? value),
        ),
        wire.backendKeyData(client.id, client.secret),
        wire.readyForQuery('I'),
      ]),
    );
    return client;
  }
}

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

/** The parameters that libpq and drivers expect at startup. */
const REPORTED_PARAMETERS = [
  'application_name',
  'client_encoding',
  'DateStyle',
  'default_transaction_read_only',
  'in_hot_standby',
  'integer_datetimes',
  'IntervalStyle',
  'search_path',
  'server_encoding',
  'server_version',
  'standard_conforming_strings',
  'TimeZone',
];

interface Startup {
  database: string;
  settings: Map<string, string>;
}

/** The startup packet: user, database, and settings for the session. */
function readStartup(bytes: Buffer): Startup {
  const settings = new Map<string, string>();
  let database: string | undefined;
  let user: string = DATABASE;
  for (let offset = 8; bytes[offset] !== 0 && offset < bytes.length; ) {
    const name = wire.readCstring(bytes, offset);
    const value = wire.readCstring(bytes, name.end);
    offset = value.end;
    if (name.text === 'database') database = value.text;
    else if (name.text === 'user') user = value.text;
    else if (name.text === 'options') for (const [key, one] of parseOptions(value.text)) settings.set(key, one);
    else if (!name.text.startsWith('_pq_.') && name.text !== 'replication')
      settings.set(name.text.toLowerCase(), value.text);
  }
  return { database: database ?? user, settings };
}

/** Parses PGOPTIONS: `-c name=value` and `--name=value`; a backslash escapes a space. */
function parseOptions(options: string): [string, string][] {
  const words = options.match(/(?:\\.|[^\s\\])+/g)?.map((word) => word.replace(/\\(.)/g, '$1')) ?? [];
  return words.flatMap((word): [string, string][] => {
    const [, name, value] = /^(?:-c|--)?([^=]+)=(.*)$/s.exec(word) ?? [];
    return name === undefined || value === undefined ? [] : [[name.replaceAll('-', '_').toLowerCase(), value]];
  });
}

function refuse(socket: Socket, code: string, message: string): void {
  socket.write(wire.errorResponse(new wire.SqlError(code, message), 'FATAL'));
  socket.destroySoon();
}
