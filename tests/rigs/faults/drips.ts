import { connect, type Socket } from 'node:net';
import { Clients, createArticle, READ, send } from './client.ts';
import { isolatedServer } from './cores.ts';
import { assertAtMost, assertEqual, type Figures, pause, percentile, type Rig } from './rig.ts';

/** A thousand connections that never send a whole request and reconnect when the server closes them; other clients beside them. */
export async function drips({ short, cluster, server, token, note }: Rig): Promise<Figures> {
  const [count, seconds, turns] = short ? [200, 2, 1] : [1_000, 10, 5];
  const { url } = await isolatedServer({ cluster, server });
  for (let n = 0; n < 20; n += 1) await send(url, { token, query: createArticle(`Title ${n}`) });
  await timesBeside(url, seconds);
  const alone: number[] = [];
  const beside: number[] = [];
  for (let turn = 1; turn <= turns; turn += 1) {
    alone.push(percentile(await timesBeside(url, seconds), 0.99));
    const all = Array.from({ length: count }, (_, n) => new Drip(url, KINDS[n % KINDS.length] as Kind));
    await pause(1_000);
    beside.push(percentile(await timesBeside(url, seconds), 0.99));
    const open = all.filter(({ isOpen }) => isOpen).length;
    for (const drip of all) drip.stop();
    assertEqual('nine of ten slow connections are open at the end', open >= 0.9 * count, true); // the others are reconnecting
    note(`turn ${turn} of ${turns}: p99 ${alone.at(-1)} ms alone, ${beside.at(-1)} ms beside ${open} slow connections`);
  }
  const [without, withThem] = [percentile(alone, 0.5), percentile(beside, 0.5)];
  assertAtMost({ short }, 'p99 beside slow connections, ms', withThem, 2 * without);
  return { 'slow connections': count, 'p99 without them, ms': without, 'p99 beside them, ms': withThem };
}

/** Response times of eight ordinary clients. */
async function timesBeside(url: string, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const clients = new Clients(8, async () => {
    const { status, milliseconds } = await send(url, { query: READ });
    assertEqual('the status for an ordinary client', status, 200);
    times.push(milliseconds);
  });
  await pause(seconds * 1_000);
  await clients.stop();
  return times;
}

/** What is sent at first, and then every second. */
interface Kind {
  readonly first: string;
  readonly more: string;
}

const HEAD = 'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
const WHOLE = `${HEAD}content-length: ${JSON.stringify({ query: READ }).length}\r\n\r\n${JSON.stringify({ query: READ })}`;
const KINDS: readonly Kind[] = [
  { first: HEAD, more: 'x-more: 1\r\n' },
  { first: `${HEAD}content-length: 10000\r\n\r\n{"query":"`, more: ' ' },
  { first: WHOLE.slice(0, -1), more: '' },
  { first: '', more: '' },
];

/** A connection of this kind, reopened when the server closes it. */
class Drip {
  private socket: Socket;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly url: string,
    private readonly kind: Kind,
  ) {
    this.socket = this.open();
    this.timer = setInterval(() => this.socket.write(kind.more), 1_000);
  }

  get isOpen(): boolean {
    return this.socket.readyState === 'open';
  }

  stop(): void {
    clearInterval(this.timer);
    this.socket.removeAllListeners('close').destroy();
  }

  private open(): Socket {
    const { hostname, port } = new URL(this.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}).resume();
    socket.on('close', () => {
      this.socket = this.open();
    });
    socket.write(this.kind.first);
    return socket;
  }
}
