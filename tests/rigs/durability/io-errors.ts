import { rmSync, writeFileSync } from 'node:fs';
import { BlogServer } from './blog-server.ts';
import { pause, type Rig } from './rig.ts';
import { check, Writers } from './writers.ts';

/** Makes fsync, then write, fail with EIO for a while. */
export async function ioErrors({ short, folder, note, progress }: Rig): Promise<void> {
  const rounds = short ? 1 : 20;
  const failing = `${folder}/failing`;
  const server = await BlogServer.start(`${folder}/data`, {
    NODE_OPTIONS: `--import=${new URL('./failing-disk.mjs', import.meta.url)}`,
    FAILING_DISK: failing,
  });
  const writers = new Writers();
  try {
    await writers.register(server);
    const writing = writers.write(server);
    for (let round = 0; round < rounds; round += 1) {
      for (const call of ['fsync', 'write']) {
        const refused = writers.refused;
        writeFileSync(failing, call);
        await writers.until(`writes are refused while ${call} fails`, () => writers.refused > refused + 4);
        await pause(500);
        rmSync(failing);
        const before = writers.acknowledgements;
        await writers.until(`writes work again after ${call} failed`, () => writers.acknowledgements > before + 10);
      }
      progress(round + 1, rounds, 'rounds of failing fsync and write');
    }
    writers.stop();
    await writing;
    await check(server, writers.acknowledged);
  } finally {
    writers.stop();
    await server.kill();
  }
  note(`fsync and write failed with EIO ${rounds} times each: the same server resumed writes once they worked`);
  note(`${writers.acknowledgements} acknowledged, ${writers.refused} refused, 0 lost`);
}
