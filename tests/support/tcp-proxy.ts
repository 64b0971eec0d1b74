import { connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy between a server and its database that simulates network failures. */
export class TcpProxy {
  port = 0;
  /** How many connections it has accepted. */
  made = 0;
  private mode: 'open' | 'refusing' | 'silent' = 'open';
  private readonly sockets = new Set<Socket>();
  private cutOn: RegExp | undefined;
  private afterCut: (() => void) | undefined;

  private constructor(
    private readonly server: Server,
    private target: { host: string; port: number },
  ) {}

  static async to(target: { host: string; port: number }): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, target);
    server.on('connection', (socket) => proxy.join(socket));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    proxy.port = (server.address() as { port: number }).port;
    return proxy;
  }

  /** Connects new connections to another server. */
  leadTo(target: { host: string; port: number }): void {
    this.target = target;
  }

  /** Closes every connection, as a killed backend does. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Closes the connection on which the next matching text is sent, before it arrives. Then calls `then`. */
  cutOnNext(text: RegExp, then?: () => void): void {
    this.cutOn = text;
    this.afterCut = then;
  }

  /** Whether no such text was sent yet. A statement that a connection has prepared is sent only by its name. */
  get isToCut(): boolean {
    return this.cutOn !== undefined;
  }

  /** Drops all traffic without closing connections, like a pulled cable. */
  silence(): void {
    this.mode = 'silent';
    for (const socket of this.sockets) socket.pause();
  }

  /** Refuses connections, as if no database were listening. */
  refuse(): void {
    this.mode = 'refusing';
    this.cut();
  }

  /** Lets all traffic through again. Connections that were silent are closed, as after a long outage. */
  open(): void {
    if (this.mode === 'silent') this.cut();
    this.mode = 'open';
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((done) => this.server.close(done));
  }

  private join(client: Socket): void {
    if (this.mode === 'refusing') return void client.destroy();
    this.made += 1;
    const { host, port } = this.target;
    const database = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    for (const [from, to] of [
      [client, database],
      [database, client],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      from.on('data', (bytes) => {
        if (this.cutOn?.test(bytes.toString('latin1'))) {
          this.cutOn = undefined;
          from.destroy();
          return this.afterCut?.();
        }
        if (this.mode !== 'silent') to.write(bytes);
      });
      if (this.mode === 'silent') from.pause();
    }
  }
}
