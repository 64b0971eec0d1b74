import { TcpProxy } from '../../support/tcp-proxy.ts';
import { Clients, createArticle, isRetriable, READ, type Reply, send, slugOf } from './client.ts';
import { assertAtMost, assertEqual, checkArticles, type Figures, pause, type Rig, until } from './rig.ts';

/** The network to the database drops everything, without closing a connection. */
export async function silence({ short, cluster, server, token }: Rig): Promise<Figures> {
  const line = await TcpProxy.to({ host: '127.0.0.1', port: cluster.port });
  const { url, status } = await server({}, line.port);
  const acknowledged: string[] = [];
  const all: Reply[] = [];
  const clients = new Clients(30, async (n) => {
    const response = await send(url, { token, query: n % 3 ? READ : createArticle(`Title ${n} ${performance.now()}`) });
    all.push(response);
    const slug = slugOf(response);
    if (slug) acknowledged.push(slug);
    await pause(response.status === 200 ? 5 : 50);
  });
  let unhealthy = 0;
  const health = new Clients(1, async () => {
    if ((await status('/healthz')) !== 200) unhealthy += 1;
    await pause(50);
  });
  const flips: number[] = [];
  const turns = async (wanted: number) => {
    const began = performance.now();
    await until(`/readyz has the status ${wanted}`, async () => (await status('/readyz')) === wanted);
    flips.push(performance.now() - began);
  };
  for (let time = 0; time < (short ? 1 : 3); time += 1) {
    await pause(500);
    line.silence();
    await turns(503);
    await pause(short ? 3_000 : 28_000);
    line.open();
    await turns(200);
  }
  await pause(500);
  await Promise.all([clients.stop(), health.stop()]);
  await line.close();

  const faults = all.filter((response) => response.status !== 200);
  const longest = Math.max(...all.map(({ milliseconds }) => milliseconds));
  assertEqual('errors that are not temporary', faults.filter((fault) => !isRetriable(fault)).length, 0);
  assertEqual('responses of /healthz other than 200', unhealthy, 0);
  assertAtMost({ short }, 'ms that a request waited', longest, 5_000);
  assertAtMost({ short }, 'ms until /readyz was correct', Math.max(...flips), 2_000);
  await checkArticles(cluster, acknowledged);
  return {
    requests: all.length,
    'errors, all retriable': faults.length,
    'acknowledged articles': acknowledged.length,
    lost: 0,
    'longest wait, ms': Math.round(longest),
    '/readyz to 503, most ms': Math.round(Math.max(...flips.filter((_, n) => n % 2 === 0))),
    '/readyz to 200, most ms': Math.round(Math.max(...flips.filter((_, n) => n % 2 === 1))),
  };
}
