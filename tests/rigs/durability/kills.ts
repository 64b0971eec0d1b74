import { BlogServer } from './blog-server.ts';
import { Broken, between, pause, percentile, type Rig } from './rig.ts';
import { check, Writers } from './writers.ts';

/** kill -9 of the server in the midst of mutations, again and again; each start takes over the lock that was left. */
export async function kills({ short, folder, note, round: told }: Rig): Promise<void> {
  const rounds = short ? 4 : 200;
  const least = short ? 200 : 20_000;
  const writers = new Writers();
  const starts: number[] = [];
  let server = await BlogServer.start(folder);
  note(`ready for the first time after ${Math.round(server.readyAfter)} ms`);
  try {
    await writers.register(server);
    for (let round = 1; round <= rounds; round += 1) {
      const writing = writers.write(server);
      await writers.until('enough was acknowledged', () => writers.acknowledgements >= (least * round) / rounds);
      await pause(between(0, 50));
      await server.kill();
      await writing;
      server = await BlogServer.start(folder);
      starts.push(server.readyAfter);
      await check(server, writers.acknowledged);
      told(round, rounds, 'kills');
    }
  } finally {
    await server.kill();
  }
  note(`${rounds} kills, ${writers.acknowledgements} acknowledged: 0 lost, 0 half-written`);
  const [half, p99, most] = [percentile(starts, 0.5), percentile(starts, 0.99), percentile(starts, 1)];
  note(`from starting node to the first answer after a kill: p50 ${half} ms, p99 ${p99} ms, max ${most} ms`);
  if (!short && p99 > 3000) throw new Broken('p99 of a start is over 3 s.');
}
