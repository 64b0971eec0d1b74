import { randomInt, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DATABASE } from '../data-folder/paths.ts';
import * as wire from '../protocol.ts';
import { ClientConnection, type House } from './client-connection.ts';

export type Address = { path: string } | { port: number; host: string };

/** PostgreSQL's wire protocol on a local socket, served from the one session that PGlite has. */
export class WireServer {
  private readonly clients = new Map<number, ClientConnection>();
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private lastId = 0;
  private parameters: [string, string][] | undefined;
  private readonly house: House;
  /** Asked of every client where file permissions don't say who may connect. */
  private readonly secret: string | undefined;

  constructor(house: House, secret: string | undefined) {
    this.house = house;
    this.secret = secret;
  }

  /** Accepts connections at `address`, and no longer where it did before. */
  async listen(address: Address): Promise<void> {
    this.parameters ??= await this.reportedParameters();
    this.server?.close();
    const server = createServer({ noDelay: true }, (socket) => this.welcome(socket)).unref();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address, () => resolve());
    });
    server.on('error', () => {}); // one connection that could not be accepted: too many files are open
    this.server = server;
  }

  get port(): number {
    const address = this.server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Other processes that use the folder through this one. */
  get joined(): number {
    return [...this.clients.values()].filter(({ isJoined }) => isJoined).length;
  }

  /** Takes no more connections, lets open transactions end for up to `patience` ms, and tells the others goodbye. */
  async close(patience: number): Promise<void> {
    this.server?.close();
    await sleep(20); // who has just said goodbye is not told that the database closes
    const until = Date.now() + patience;
    while (Date.now() < until && [...this.clients.values()].some((client) => client.isInTransaction)) {
      await sleep(20);
    }
    const gone = [...this.clients.values()].map((client) => client.closed);
    for (const client of this.clients.values())
      client.fatal({ code: '57P01', message: 'The embedded database is closing.' });
    await Promise.race([Promise.all(gone), sleep(1000, undefined, { ref: false })]);
    for (const socket of this.sockets) socket.destroy();
  }

  private async reportedParameters(): Promise<[string, string][]> {
    const rows = await this.house.session.select(
      `select name, setting from pg_catalog.pg_settings where name in (${REPORTED.map((name) => `'${name}'`).join(', ')})`,
    );
    const settings = rows.map(([name, value]): [string, string] => [name ?? '', value ?? '']);
    return [...settings, ['is_superuser', 'on'], ['session_authorization', DATABASE]];
  }

  private welcome(socket: Socket): void {
    // Neither a client nor the server keeps the process alive: a command that has done its work ends.
    socket.unref();
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const reader = new wire.MessageReader({ startsWithPacket: true });
    let client: ClientConnection | undefined;
    let proposal: Proposal | undefined;
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
        for (let message = reader.next(); message !== undefined; message = reader.next()) {
          if (client !== undefined) client.receive(message);
          else if (message.type === '') proposal = this.firstPacket(socket, message.bytes, reader);
          else if (!this.isSecret(message)) return refuse(socket, '28P01', 'The password is wrong.');
          else client = this.accept(socket, proposal as Proposal);
          if (proposal !== undefined && client === undefined && this.secret === undefined) {
            client = this.accept(socket, proposal);
          }
        }
      } catch (error) {
        refuse(socket, '08P01', error instanceof Error ? error.message : String(error));
      }
    });
  }

  private firstPacket(socket: Socket, bytes: Buffer, reader: wire.MessageReader): Proposal | undefined {
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
    if (code >> 16 !== 3) return void refuse(socket, '0A000', 'Only version 3 of the protocol is spoken here.');
    const proposal = readProposal(bytes);
    if (proposal.database !== DATABASE) {
      return void refuse(
        socket,
        '3D000',
        `The embedded database has one database, "${DATABASE}", and no "${proposal.database}".`,
      );
    }
    reader.awaitsFirstPacket = false;
    if ((code & 0xffff) > 0) socket.write(wire.message('v', wire.int32(0), wire.int32(0)));
    if (this.secret !== undefined) socket.write(wire.askForPassword());
    return proposal;
  }

  private isSecret({ type, bytes }: wire.Message): boolean {
    const said = Buffer.from(type === 'p' ? wire.readCstring(bytes, 5).text : '');
    const secret = Buffer.from(this.secret ?? '');
    return said.length === secret.length && timingSafeEqual(said, secret);
  }

  private accept(socket: Socket, { settings }: Proposal): ClientConnection {
    this.lastId += 1;
    const client = new ClientConnection(socket, this.house, { id: this.lastId, secret: randomInt(2 ** 31), settings });
    this.clients.set(client.id, client);
    void client.closed.then(() => this.clients.delete(client.id));
    socket.write(
      Buffer.concat([
        wire.authenticationOk(),
        ...(this.parameters ?? []).map(([name, value]) =>
          wire.parameterStatus(name, settings.get(name.toLowerCase()) ?? value),
        ),
        wire.backendKey(client.id, client.secret),
        wire.readyForQuery('I'),
      ]),
    );
    return client;
  }
}

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;

/** What libpq and drivers expect to hear at the start. */
const REPORTED = [
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

interface Proposal {
  database: string;
  settings: Map<string, string>;
}

/** The startup packet: who, which database, and settings for the session. */
function readProposal(bytes: Buffer): Proposal {
  const settings = new Map<string, string>();
  let database: string | undefined;
  let user: string = DATABASE;
  for (let offset = 8; bytes[offset] !== 0 && offset < bytes.length; ) {
    const name = wire.readCstring(bytes, offset);
    const value = wire.readCstring(bytes, name.end);
    offset = value.end;
    if (name.text === 'database') database = value.text;
    else if (name.text === 'user') user = value.text;
    else if (name.text === 'options') for (const [key, one] of commandLine(value.text)) settings.set(key, one);
    else if (!name.text.startsWith('_pq_.') && name.text !== 'replication')
      settings.set(name.text.toLowerCase(), value.text);
  }
  return { database: database ?? user, settings };
}

/** `-c name=value` and `--name=value`, as PGOPTIONS has them; a backslash keeps a space. */
function commandLine(options: string): [string, string][] {
  const words = options.match(/(?:\\.|[^\s\\])+/g)?.map((word) => word.replace(/\\(.)/g, '$1')) ?? [];
  return words.flatMap((word): [string, string][] => {
    const [, name, value] = /^(?:-c|--)?([^=]+)=(.*)$/s.exec(word) ?? [];
    return name === undefined || value === undefined ? [] : [[name.replaceAll('-', '_').toLowerCase(), value]];
  });
}

function refuse(socket: Socket, code: string, message: string): void {
  socket.write(wire.errorResponse({ severity: 'FATAL', code, message }));
  socket.destroySoon();
}
