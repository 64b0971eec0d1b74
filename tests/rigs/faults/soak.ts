import { readdirSync } from 'node:fs';
import { Clients, createArticle, isRetriable, READ, type Reply, send, slugOf } from './client.ts';
import type { Cluster } from './cluster.ts';
import { Inspector } from './inspector.ts';
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

/** Half an hour of reads and writes with faults of PostgreSQL: memory, descriptors and latency must not grow. */
export async function soak({ short, cluster, server, token, note }: Rig): Promise<Figures> {
  const [rounds, seconds] = short ? [3, 4] : [30, 60];
  const watched = await server({ NODE_OPTIONS: '--inspect=127.0.0.1:0' });
  const inspector = await Inspector.connect(watched.output);
  const faults: Reply[] = [];
  const seen: { heap: number; descriptors: number; p99: number }[] = [];
  let requests = 0;
  for (let round = 0; round < rounds; round += 1) {
    const times: number[] = [];
    const request = async (document: string): Promise<Reply> => {
      const response = await send(watched.url, { query: document, token });
      requests += 1;
      if (response.status === 200) times.push(response.milliseconds);
      else faults.push(response);
      return response;
    };
    const clients = new Clients(8, async (n) => {
      const slug = slugOf(await request(createArticle(`Title ${n} ${performance.now()}`)));
      await request(READ);
      if (slug) await request(`mutation { deleteArticle(input: { article: { slug: "${slug}" } }) { deletedId } }`);
    });
    await pause(500);
    await FAULTS[round % FAULTS.length]?.(cluster);
    await until('the server is ready again', async () => (await watched.status('/readyz')) === 200);
    await pause(500);
    times.length = 0; // the times during the fault do not measure the server
    await pause(seconds * 1000);
    await clients.stop();
    const p99 = percentile(times, 0.99);
    const heap = Math.round((await inspector.heapAfterCollection()) / 1e5) / 10;
    const descriptors = readdirSync(`/proc/${watched.child.pid}/fd`).length;
    seen.push({ heap, descriptors, p99 });
    note(
      `round ${round + 1} of ${rounds}: ${requests} requests; heap ${heap} MB, ${descriptors} descriptors, p99 ${p99} ms`,
    );
  }
  inspector.close();

  assertEqual(
    'errors that are not temporary',
    faults.filter((fault) => !isRetriable(fault)).map(({ status }) => status)[0],
    undefined,
  );
  await checkArticles(cluster, []);
  const drift = (of: 'heap' | 'descriptors' | 'p99') => {
    const third = Math.ceil(seen.length / 3);
    const median = (part: typeof seen) =>
      percentile(
        part.map((round) => round[of]).map((value) => value * 10),
        0.5,
      ) / 10;
    return Math.round((100 * median(seen.slice(-third))) / median(seen.slice(0, third)) - 100);
  };
  assertAtMost({ short }, '% that the heap grew', drift('heap'), 5);
  assertAtMost({ short }, '% that descriptors grew', drift('descriptors'), 10);
  assertAtMost({ short }, '% that the 99th percentile grew', drift('p99'), 10);
  return {
    requests,
    'errors, all retriable': faults.length,
    'heap after a collection, from the first third to the last, %': drift('heap'),
    'descriptors, the same, %': drift('descriptors'),
    'p99, the same, %': drift('p99'),
    'heap at the end, MB': seen.at(-1)?.heap ?? 0,
  };
}

const FAULTS: ((cluster: Cluster) => Promise<unknown>)[] = [
  (cluster) => cluster.restart('fast'),
  (cluster) =>
    query(
      cluster.url,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'conduit' and random() < 0.5",
    ),
  (cluster) => cluster.restart('immediate'),
];
