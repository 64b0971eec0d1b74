import { rmSync, writeFileSync } from 'node:fs';
import { BlogServer } from './blog-server.ts';
import { pause, type Rig } from './rig.ts';
import { check, Writers } from './writers.ts';

/** A disk whose fsync, or whose write, fails with EIO for a while. */
export async function ioErrors({ short, folder, note, round: told }: Rig): Promise<void> {
  const rounds = short ? 1 : 20;
  const faults = `${folder}/faults`;
  const server = await BlogServer.start(`${folder}/data`, {
    NODE_OPTIONS: `--import=${new URL('./failing-disk.mjs', import.meta.url)}`,
    FAILING_DISK: faults,
  });
  const writers = new Writers();
  try {
    await writers.register(server);
    const writing = writers.write(server);
    for (let round = 0; round < rounds; round += 1) {
      for (const call of ['fsync', 'write']) {
        const refused = writers.refused;
        writeFileSync(faults, call);
        await writers.until(`writes are refused while ${call} fails`, () => writers.refused > refused + 4);
        await pause(500);
        rmSync(faults);
        const before = writers.acknowledgements;
        await writers.until(`writes come back after ${call} failed`, () => writers.acknowledgements > before + 10);
      }
      told(round + 1, rounds, 'times fsync and write failed');
    }
    writers.stop();
    await writing;
    await check(server, writers.acknowledged);
  } finally {
    writers.stop();
    await server.kill();
  }
  note(`${rounds} times each, fsync and write failed with EIO: the same server wrote on once they worked`);
  note(`${writers.acknowledgements} acknowledged, ${writers.refused} refused, 0 lost`);
}
