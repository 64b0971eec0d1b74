import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { send } from './client.ts';
import { pause, until } from './rig.ts';

/** A minimal load balancer: polls `/readyz` every 100 ms and sends requests to the ready servers, round-robin. */
export class Balancer {
  readonly url: string;
  private ready: string[] = [];
  private next = 0;
  private isClosed = false;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: Infinity });

  private constructor(
    private readonly server: Server,
    private instances: readonly string[],
  ) {
    this.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    server.on('request', (incoming, outgoing) => this.pass(incoming, outgoing));
    void this.poll();
  }

  static async start(instances: readonly string[]): Promise<Balancer> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const balancer = new Balancer(server, instances);
    await balancer.waitForReady(instances.length);
    return balancer;
  }

  use(instances: readonly string[]): void {
    this.instances = instances;
  }

  waitForReady = (many: number) => until(`${many} are ready`, () => this.ready.length === many);

  async close(): Promise<void> {
    this.isClosed = true;
    this.server.closeAllConnections();
    this.agent.destroy();
    await new Promise((done) => this.server.close(done));
  }

  private async poll(): Promise<void> {
    while (!this.isClosed) {
      const polled = await Promise.all(
        this.instances.map(async (url) => ({ url, isReady: (await send(url, { path: '/readyz' })).status === 200 })),
      );
      this.ready = polled.filter(({ isReady }) => isReady).map(({ url }) => url);
      await pause(100);
    }
  }

  /** Never retries, so that the client sees every failure. */
  private pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.next += 1;
    const target = this.ready[this.next % this.ready.length];
    if (!target) return void outgoing.writeHead(502).end();
    const { method = 'GET', url = '/', headers } = incoming;
    const { connection: _, ...own } = headers;
    const sent = request(target + url, { method, headers: own, agent: this.agent }, (response) => {
      const { connection: _ended, ...given } = response.headers;
      outgoing.writeHead(response.statusCode ?? 502, given);
      response.pipe(outgoing);
    });
    sent.on('error', () => outgoing.headersSent || outgoing.writeHead(502).end());
    incoming.pipe(sent);
  }
}
