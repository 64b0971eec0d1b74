import { Client } from 'pg';
import { Clients, createArticle, isRetriable, READ, type Reply, send, slugOf } from './client.ts';
import {
  assertAtMost,
  assertEqual,
  checkArticles,
  type Figures,
  pause,
  percentile,
  query,
  type Rig,
  until,
} from './rig.ts';

/** PostgreSQL restarts, and its backends are terminated one by one, under reads and writes. */
export async function restarts({ short, cluster, server, token }: Rig): Promise<Figures> {
  const [times, terminations] = short ? [2, 50] : [20, 1000];
  const { url, metric } = await server({ DB_POOL_SIZE: String(POOL) });
  const acknowledged: string[] = [];
  const faults: Reply[] = [];
  const successes: number[] = [];
  const record = (response: Reply) => {
    const slug = slugOf(response);
    if (slug) acknowledged.push(slug);
    if (response.status !== 200) faults.push(response);
    else successes.push(performance.now());
    return response.status === 200 ? undefined : pause(20);
  };
  const clients = new Clients(16, async (n) =>
    record(
      await (n % 2
        ? send(url, { query: READ, token })
        : send(url, { query: createArticle(`Title ${n} ${performance.now()}`), token })),
    ),
  );

  const recoveries: number[] = [];
  for (let time = 0; time < times; time += 1) {
    await pause(200);
    const down = cluster.restart(time % 2 ? 'immediate' : 'fast');
    await until('the database is down', async () => !(await accepts(cluster.url)));
    while (!(await accepts(cluster.url))) await pause(2);
    const accepted = performance.now();
    const afterwards = (at: number) => at > accepted;
    await until('a success after the restart', () => successes.some(afterwards));
    recoveries.push((successes.find(afterwards) ?? 0) - accepted);
    successes.length = 0;
    await down;
  }

  const killer = new Client({ connectionString: cluster.url });
  await killer.connect();
  let killed = 0;
  const victim = `select pg_terminate_backend(pid) as killed from pg_stat_activity
    where application_name like 'conduit%' and pid <> pg_backend_pid() order by random() limit 1`;
  while (killed < terminations) {
    killed += (await killer.query(victim)).rows[0]?.killed ? 1 : 0;
    await pause(2);
  }
  await killer.end();
  await until('the pool has its full size', async () => (await metric('db_pool_connections')) === POOL);
  await clients.stop();

  await until('no request waits for a connection', async () => (await metric('db_pool_waiting')) === 0);
  assertEqual(
    'connections that were not released',
    (await metric('db_pool_connections')) - (await metric('db_pool_idle')),
    0,
  );
  assertEqual(
    'errors that are not temporary',
    faults.filter((fault) => !isRetriable(fault)).map(({ status, body }) => `${status} ${JSON.stringify(body)}`)[0],
    undefined,
  );
  await checkArticles(cluster, acknowledged);
  const [{ n: all } = { n: 0 }] = await query<{ n: number }>(cluster.url, 'select count(*)::int as n from articles');
  assertAtMost({ short }, 'ms from accepting connections to the first success', Math.max(...recoveries), 250);
  return {
    restarts: times,
    'backends terminated': killed,
    'acknowledged articles': acknowledged.length,
    lost: 0,
    'articles there': all,
    'errors, all retriable': faults.length,
    'ms to the first success, median': percentile(recoveries, 0.5),
    'ms to the first success, most': Math.round(Math.max(...recoveries)),
    'longest wait for an error, ms': Math.round(Math.max(0, ...faults.map(({ milliseconds }) => milliseconds))),
  };
}

const POOL = 10;

async function accepts(url: string): Promise<boolean> {
  try {
    await query(url, 'select 1');
    return true;
  } catch {
    return false;
  }
}
