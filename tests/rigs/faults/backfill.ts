import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from 'pg';
import { Clients, READ, send } from './client.ts';
import { assertAtMost, assertEqual, type Figures, pause, query, type Rig } from './rig.ts';

/**
 * Renders a large blog with `npm run render`, which is killed three times, beside a server that renders too and readers. In turns
 * the rig holds the lock of the renderers for a while, so that reads are measured with and without them.
 */
export async function backfill({ short, cluster, server, note }: Rig): Promise<Figures> {
  const { url } = cluster;
  const articles = short ? 3_000 : 1_000_000;
  await done(program(url, 'src/seeding/seed.ts', '--articles', String(articles)));
  const total = await outdated(url);
  note(`${total} texts to render`);

  const reads: Record<'alone' | 'beside', number[]> = { alone: [], beside: [] };
  let state: keyof typeof reads | null = null;
  const { url: blog } = await server();
  const readers = new Clients(2, async () => {
    const before = state;
    const { status, milliseconds } = await send(blog, { query: READ });
    assertEqual('the status for a reader', status, 200);
    if (before && before === state) reads[before].push(milliseconds);
    await pause(20);
  });
  const [holder, watcher] = [await connected(url), await connected(url)];
  const ownPid = (await holder.query('select pg_backend_pid() as pid')).rows[0].pid;
  const longest = new LongestBatch(watcher, ownPid);
  let renderer = program(url, 'src/render.ts');
  let killed = 0;
  for (let left = total; left > 0; left = await outdated(url)) {
    state = 'beside';
    await pause(short ? 500 : 4_000);
    state = null;
    if (killed < 3 && left < total * (1 - (killed + 1) / 4)) {
      renderer.kill('SIGKILL');
      await once(renderer, 'exit');
      killed += 1;
      note(`killed, with ${left} of ${total} texts left`);
      renderer = program(url, 'src/render.ts');
    }
    await withoutRenderers(holder, async () => {
      state = 'alone';
      await pause(short ? 300 : 1_000);
      state = null;
    });
  }
  await done(renderer);
  await readers.stop();
  await longest.stop();
  await Promise.all([holder.end(), watcher.end()]);

  const [alone, beside] = [median(reads.alone), median(reads.beside)];
  if (!short) assertEqual('kills', killed, 3);
  assertEqual('texts that are not rendered', await outdated(url), 0);
  assertAtMost({ short }, 'the longest transaction of a renderer, ms', longest.milliseconds, 1_000);
  assertAtMost({ short }, 'p50 of reads beside renderers, as a multiple', beside / alone, 1.3);
  return {
    'texts rendered': total,
    kills: killed,
    'longest transaction of a renderer, ms': longest.milliseconds,
    'p50 of reads without renderers, ms': alone.toFixed(1),
    'p50 of reads beside them, ms': beside.toFixed(1),
    ratio: (beside / alone).toFixed(2),
  };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const OUTDATED = `select (select count(*) from articles where renderer_version = 0) +
  (select count(*) from comments where renderer_version = 0) as count`;

const outdated = async (url: string) => Number((await query<{ count: string }>(url, OUTDATED))[0]?.count);

function program(url: string, ...command: string[]): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, ['--import', '@oxc-node/core/register', ...command], {
    env: { PATH, DATABASE_URL: url },
    stdio: 'ignore',
  });
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

async function done(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await once(child, 'exit');
  assertEqual('the exit code of a command', child.exitCode, 0);
}

/** Keeps all renderers waiting meanwhile, and calls `act` when the current batch is done. */
async function withoutRenderers(client: Client, act: () => Promise<void>): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [LOCK]);
  await act();
  await client.query('select pg_advisory_unlock($1)', [LOCK]);
}

/** The longest time for which a transaction has held the lock of the renderers, which is the first thing that they do. */
class LongestBatch {
  milliseconds = 0;
  private isWatching = true;
  private readonly watching: Promise<void>;

  constructor(client: Client, ownPid: number) {
    this.watching = this.watch(client, ownPid);
  }

  async stop(): Promise<void> {
    this.isWatching = false;
    await this.watching;
  }

  private async watch(client: Client, ownPid: number): Promise<void> {
    let current = { transaction: '', since: 0 };
    while (this.isWatching) {
      const { rows } = await client.query(
        `select virtualtransaction as transaction from pg_locks
         where locktype = 'advisory' and granted and classid = 0 and objid = $1 and pid <> $2`,
        [LOCK, ownPid],
      );
      const transaction: string = rows[0]?.transaction ?? '';
      if (transaction !== current.transaction) current = { transaction, since: performance.now() };
      if (transaction) this.milliseconds = Math.max(this.milliseconds, Math.round(performance.now() - current.since));
      await pause(10);
    }
  }
}

/** The advisory lock of renderers, as in src/markdown/backfill.ts. */
const LOCK = 0x6d61726b;
