import { between, check, pause, percentile, type Rig, Writer } from './rig.ts';

/** kill -9 in the midst of writing, again and again; each start takes over the lock of the one that was killed. */
export async function kills({ short, folder, note }: Rig): Promise<void> {
  const rounds = short ? 4 : 200;
  const least = short ? 200 : 20_000;
  const acknowledged: number[] = [];
  const starts: number[] = [];
  for (let round = 0; round < rounds || acknowledged.length < least; round += 1) {
    const writer = new Writer(`${folder}/data`, acknowledged);
    await writer.prepare();
    if (round > 0) starts.push(writer.readyAfter);
    await check(writer.process, acknowledged);
    const before = acknowledged.length;
    const writing = writer.write();
    while (acknowledged.length < before + Math.ceil(least / rounds)) await pause(5);
    await pause(between(0, 50));
    await writer.process.kill();
    await writing;
  }
  note(`${starts.length + 1} kills, ${acknowledged.length} acknowledged, 0 lost, 0 half-written`);
  note(
    `ready after a kill (process start included): median ${percentile(starts, 0.5)} ms, p99 ${percentile(starts, 0.99)} ms`,
  );
  if (!short && percentile(starts, 0.99) > 3000) throw new Error('p99 of a start is over 3 s.');
}
