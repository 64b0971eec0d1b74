import { TcpProxy } from '../../support/tcp-proxy.ts';
import { Clients, createArticle, isRetriable, type Reply, send, slugOf } from './client.ts';
import { assertAtMost, assertEqual, checkArticles, type Figures, pause, query, type Rig, until } from './rig.ts';

/** The primary is demoted and a standby promoted, while the route to the database still leads to the old one. */
export async function failover({ short, cluster, server, token }: Rig): Promise<Figures> {
  const standby = await cluster.addStandby();
  const route = await TcpProxy.to({ host: '127.0.0.1', port: cluster.port });
  try {
    const onStandby = await server({}, standby.port, { isReady: false });
    await until('a server on a standby says why it is unready', async () => (await fault(onStandby.url)) === STANDBY);
    await onStandby.kill();

    const direct = {
      DATABASE_URL: `postgresql://postgres@127.0.0.1:${standby.port},127.0.0.1:${cluster.port}/postgres`,
    };
    const servers = { 'through a route': await server({}, route.port), 'with several hosts': await server(direct) };
    const acknowledged: string[] = [];
    const faults: Reply[] = [];
    const lastWrite = new Map<string, number>();
    const clients = Object.entries(servers).map(
      ([name, { url }]) =>
        new Clients(4, async (n) => {
          const response = await send(url, { query: createArticle(`${name} ${n} ${performance.now()}`), token });
          const slug = slugOf(response);
          if (slug) acknowledged.push(slug);
          if (slug) lastWrite.set(name, performance.now());
          if (response.status === 200) return;
          faults.push(response);
          await pause(20);
        }),
    );
    await until('both servers write', () => lastWrite.size === 2);

    await cluster.stop();
    await standby.promote();
    const promoted = performance.now();
    await cluster.startAsStandbyOf(standby);
    await until('the old primary is a standby', async () => (await fault(servers['through a route'].url)) === STANDBY);
    await until('the server with several hosts writes', () => (lastWrite.get('with several hosts') ?? 0) > promoted);
    await pause(short ? 1_000 : 10_000);
    route.leadTo({ host: '127.0.0.1', port: standby.port }); // new connections only
    const led = performance.now();
    await until('the server behind the route writes', () => (lastWrite.get('through a route') ?? 0) > led);
    const recovery = (lastWrite.get('through a route') ?? 0) - led;
    await pause(500);
    for (const one of clients) await one.stop();

    const wrong = faults.filter((response) => !isRetriable(response));
    assertEqual('errors that are not temporary', JSON.stringify(wrong[0]?.body), undefined);
    for (const { url } of Object.values(servers)) assertEqual('ready again', await fault(url), undefined);
    await checkArticles(standby, acknowledged);
    assertAtMost({ short }, 'ms from the new route to the first write', recovery, 1_000);
    const [{ n } = { n: 0 }] = await query<{ n: number }>(standby.url, 'select count(*)::int as n from articles');
    return {
      acknowledged: acknowledged.length,
      lost: 0,
      'articles there': n,
      'errors, all retriable': faults.length,
      'ms from the new route to the first write': Math.round(recovery),
    };
  } finally {
    await route.close();
    await standby.remove();
  }
}

const STANDBY = 'The database is a standby, which cannot be written.';

const fault = async (url: string) => ((await send(url, { path: '/readyz' })).body as { fault?: string }).fault;
