import { Clients, createArticle, send, slugOf } from './client.ts';
import { checkArticles, type Figures, pause, percentile, type Rig } from './rig.ts';

/** Kills the server with SIGKILL during mutations, repeatedly. */
export async function kills({ short, cluster, server, token, note }: Rig): Promise<Figures> {
  const [rounds, least] = short ? [4, 200] : [200, 20_000];
  const acknowledged: string[] = [];
  const starts: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    const started = await server();
    starts.push(performance.now() - began);
    const enough = Math.ceil((least * (round + 1)) / rounds);
    let isKilled = false;
    const clients = new Clients(8, async (n) => {
      const slug = slugOf(
        await send(started.url, { query: createArticle(`Title ${round} ${n} ${performance.now()}`), token }),
      );
      if (slug) acknowledged.push(slug);
      else if (isKilled) await pause(5);
    });
    while (acknowledged.length < enough) await pause(2);
    await pause(Math.random() * 30);
    isKilled = true;
    await started.kill();
    await clients.stop();
    if (round % 20 !== 19) continue;
    await checkArticles(cluster, acknowledged);
    note(`${round + 1} of ${rounds} kills, ${acknowledged.length} acknowledged articles`);
  }
  await checkArticles(cluster, acknowledged);
  return {
    kills: rounds,
    'acknowledged articles': acknowledged.length,
    lost: 0,
    'half-written': 0,
    'ms from start to ready, median': percentile(starts, 0.5),
    'ms from start to ready, p99': percentile(starts, 0.99),
  };
}
