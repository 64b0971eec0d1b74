import { request } from 'node:http';
import { Client } from 'pg';
import { Clients, createArticle, isRetriable, READ, type Reply, send, slugOf } from './client.ts';
import type { Cluster } from './cluster.ts';
import { PgBouncer, pgBouncerVersion, tracksPreparedStatements } from './pgbouncer.ts';
import { assertEqual, checkArticles, type Figures, pause, query, type Rig, until } from './rig.ts';
import type { ServerProcess } from './server-process.ts';

/** Behind a PgBouncer with four connections: others keep them busy, clients leave, and prepared statements get lost. */
export async function pooler(rig: Rig): Promise<Figures> {
  const version = pgBouncerVersion();
  const kinds = tracksPreparedStatements() ? { tracked: 200, lost: 0 } : { lost: 0 };
  const figures: Figures = { PgBouncer: version };
  for (const [kind, prepared] of Object.entries(kinds)) {
    const bouncer = await PgBouncer.start(rig.cluster, { connections: CONNECTIONS, prepared });
    try {
      rig.note(`PgBouncer ${version}, prepared statements ${kind}`);
      for (const [figure, value] of Object.entries(await behind(bouncer, rig, kind === 'lost'))) {
        figures[`${figure}, prepared statements ${kind}`] = value;
      }
    } finally {
      await bouncer.remove();
    }
  }
  return figures;
}

async function behind(bouncer: PgBouncer, rig: Rig, isLost: boolean): Promise<Figures> {
  const { short, cluster, server, token } = rig;
  const blog = await server({}, bouncer.port);
  const unready: Reply[] = [];
  const probes = new Clients(1, async () => {
    const reply = await send(blog.url, { path: '/readyz' });
    if (reply.status !== 200) unready.push(reply);
    await pause(20);
  });
  try {
    const rounds = short ? 2 : 10;
    const before = await work(blog, token, short ? 200 : 2_000);
    const busy = await whileOthersWork(bouncer, cluster, blog, token, rounds);
    const left = await whileClientsLeave(cluster, blog, rounds);
    const after = await work(blog, token, 100);

    assertEqual('false losses', JSON.stringify(unready[0]?.body), undefined);
    const lines = (pattern: RegExp) => blog.output.split('\n').filter((line) => pattern.test(line)).length;
    assertEqual('lines about a lost database', lines(/does not answer|is a standby/), 0);
    assertEqual('lines about lost prepared statements', lines(/PREPARED_STATEMENTS/), isLost ? 1 : 0);
    await checkArticles(cluster, [...before, ...busy.acknowledged, ...after]);
    return {
      'requests, 0 failed': 4 * (before.length + after.length) + busy.served,
      'requests beyond the pool of the server': busy.crowd,
      'of them told to retry': busy.refused,
      'left by their clients, 0 still active': left,
    };
  } finally {
    await probes.stop();
    await blog.stop();
  }
}

/** Reads and writes of eight clients, fewer than the server has connections. Returns what was written. */
async function work(blog: ServerProcess, token: string, writes: number): Promise<string[]> {
  const slugs: string[] = [];
  const act = async (n: number) => {
    for (const query of [READ, '{ viewer { email } }', '{ tags(first: 5) { nodes { name } } }']) {
      expectServed(await send(blog.url, { query, token }));
    }
    const reply = await send(blog.url, { query: createArticle(`Pooled ${n} ${performance.now()}`), token });
    expectServed(reply);
    slugs.push(String(slugOf(reply)));
  };
  await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      while (slugs.length < writes) await act(n);
    }),
  );
  return slugs;
}

/** Other clients of the pooler use all of its connections for three seconds, several times. */
async function whileOthersWork(
  bouncer: PgBouncer,
  cluster: Cluster,
  blog: ServerProcess,
  token: string,
  rounds: number,
) {
  const acknowledged: string[] = [];
  let served = 0;
  let crowd = 0;
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) {
    const others = Array.from({ length: CONNECTIONS }, () => query(cluster.urlOn(bouncer.port), 'select pg_sleep(3)'));
    await until('the pooler is busy', async () => (await asleep(cluster)) === CONNECTIONS);
    const title = (n: number) => createArticle(`Busy ${n} ${performance.now()}`);
    const few = Array.from({ length: 8 }, (_, n) => send(blog.url, { query: n % 2 ? READ : title(n), token }));
    for (const reply of await Promise.all(few)) {
      expectServed(reply);
      served += 1;
      const slug = slugOf(reply);
      if (slug) acknowledged.push(slug);
    }
    await Promise.all(others);

    const again = Array.from({ length: CONNECTIONS }, () => query(cluster.urlOn(bouncer.port), 'select pg_sleep(3)'));
    await until('the pooler is busy', async () => (await asleep(cluster)) === CONNECTIONS);
    const many = await Promise.all(Array.from({ length: 40 }, () => send(blog.url, { query: READ, token })));
    const unserved = many.filter((reply) => !isServed(reply));
    assertEqual(
      'refused without a hint to retry',
      JSON.stringify(unserved.find((reply) => !isRetriable(reply))),
      undefined,
    );
    crowd += many.length;
    refused += unserved.length;
    await Promise.all(again);
  }
  return { acknowledged, served, crowd, refused };
}

/** Waves of clients leave while their queries wait for a lock; the statements must end, although the lock is still held. */
async function whileClientsLeave(cluster: Cluster, blog: ServerProcess, rounds: number): Promise<number> {
  const holder = new Client({ connectionString: cluster.url, application_name: 'rig' });
  await holder.connect();
  try {
    await holder.query('begin; lock table articles in access exclusive mode');
    let left = 0;
    for (let wave = 0; wave < 4 * rounds; wave += 1) {
      const clients = Array.from({ length: 8 }, () => startReading(blog.url));
      await until('statements wait for the lock', async () => (await active(cluster)) > 0);
      await pause(20 * (wave % 4));
      for (const client of clients) client.destroy();
      left += clients.length;
      await until(`no backend is left active, wave ${wave}`, async () => (await active(cluster)) === 0, 5_000);
    }
    return left;
  } finally {
    await holder.end();
  }
}

function startReading(url: string) {
  const sent = request(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    agent: false,
  });
  sent.on('error', () => {});
  sent.end(JSON.stringify({ query: READ }));
  return sent;
}

const count = async (cluster: Cluster, condition: string): Promise<number> => {
  const [{ n } = { n: 0 }] = await query<{ n: number }>(
    cluster.url,
    `select count(*)::int as n from pg_stat_activity where true and ${condition}`,
  );
  return n;
};

const active = (cluster: Cluster) => count(cluster, `wait_event_type = 'Lock'`);
const asleep = (cluster: Cluster) => count(cluster, `wait_event = 'PgSleep'`);

const isServed = ({ status, body }: Reply) => status === 200 && (body as { errors?: unknown }).errors === undefined;

function expectServed(reply: Reply): void {
  if (!isServed(reply)) throw new Error(`A request failed: ${reply.status} ${JSON.stringify(reply.body)}`);
}

const CONNECTIONS = 4;
