import { BlogServer } from './blog-server.ts';
import { GuaranteeBroken, pause, percentile, type Rig, randomBetween } from './rig.ts';
import { check, Writers } from './writers.ts';

/** Kills the server with kill -9 during mutations, again and again; each start takes over the stale lock. */
export async function kills({ short, folder, note, progress }: Rig): Promise<void> {
  const rounds = short ? 4 : 200;
  const total = short ? 200 : 20_000;
  const writers = new Writers();
  const starts: number[] = [];
  let server = await BlogServer.start(folder);
  note(`first start: ready after ${Math.round(server.readyAfter)} ms`);
  try {
    await writers.register(server);
    for (let round = 1; round <= rounds; round += 1) {
      const writing = writers.write(server);
      await writers.until(
        'enough writes were acknowledged',
        () => writers.acknowledgements >= (total * round) / rounds,
      );
      await pause(randomBetween(0, 50));
      await server.kill();
      await writing;
      server = await BlogServer.start(folder);
      starts.push(server.readyAfter);
      await check(server, writers.acknowledged);
      progress(round, rounds, 'kills');
    }
  } finally {
    await server.kill();
  }
  note(`${rounds} kills, ${writers.acknowledgements} acknowledged: 0 lost, 0 half-written`);
  const [p50, p99, max] = [percentile(starts, 0.5), percentile(starts, 0.99), percentile(starts, 1)];
  note(`from starting Node to the first response after a kill: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`);
  if (!short && p99 > 3000) throw new GuaranteeBroken('The p99 of a start is over 3 s.');
}
