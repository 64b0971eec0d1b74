import { Balancer } from './balancer.ts';
import { Clients, createArticle, READ, type Reply, send, slugOf } from './client.ts';
import { assertAtMost, assertEqual, checkArticles, type Figures, percentile, type Rig } from './rig.ts';
import type { ServerProcess } from './server-process.ts';

/** Two servers behind a load balancer are stopped and started in turn, under load. */
export async function shutdowns({ short, cluster, server, token }: Rig): Promise<Figures> {
  const times = short ? 4 : 100;
  const start = () => server({ SHUTDOWN_DELAY_SECONDS: '1' });
  const instances: ServerProcess[] = [await start(), await start()];
  const balancer = await Balancer.start(instances.map(({ url }) => url));
  const acknowledged: string[] = [];
  const failed: Reply[] = [];
  let responses = 0;
  const clients = new Clients(8, async (n) => {
    const response = await send(balancer.url, {
      token,
      query: n % 2 ? READ : createArticle(`Title ${n} ${performance.now()}`),
    });
    responses += 1;
    const slug = slugOf(response);
    if (slug) acknowledged.push(slug);
    if (response.status !== 200 || 'errors' in (response.body as object)) failed.push(response);
  });
  const exits: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const [old] = instances.splice(0, 1);
    const began = performance.now();
    assertEqual('exit code', await old?.stop(), 0);
    exits.push(performance.now() - began);
    instances.push(await start());
    balancer.use(instances.map(({ url }) => url));
    await balancer.waitForReady(2);
  }
  await clients.stop();
  await balancer.close();
  assertEqual('failed requests', failed.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)[0], undefined);
  assertAtMost({ short }, 'ms from SIGTERM to the exit', Math.max(...exits), 10_000);
  await checkArticles(cluster, acknowledged);
  return {
    SIGTERMs: times,
    requests: responses,
    'failed requests': 0,
    'acknowledged articles': acknowledged.length,
    lost: 0,
    'ms from SIGTERM to exit, median': percentile(exits, 0.5),
    'ms from SIGTERM to exit, most': Math.round(Math.max(...exits)),
  };
}
