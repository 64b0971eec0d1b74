import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { between, inspect, mounted, pause, type Rig, Writer } from './rig.ts';

/**
 * A power cut, as far as it can be had: the image under a mounted ext4 is copied without a sync, so that what only the
 * page cache has is not in the copy. The writer stands still meanwhile, and goes on after it.
 */
export async function powerCuts({ short, folder, note }: Rig): Promise<void> {
  const rounds = short ? 3 : 100;
  const image = `${folder}/disk.img`;
  execFileSync('truncate', ['-s', '400M', image]);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  await mounted(['-o', 'loop', image], `${folder}/disk`, async () => {
    const writer = new Writer(`${folder}/disk/data`);
    await writer.prepare();
    const writing = writer.write({ checkpoints: true });
    try {
      for (let round = 0; round < rounds; round += 1) {
        await pause(between(200, 1200));
        const told = writer.acknowledged.slice();
        const copy = `${folder}/copy.img`;
        writer.process.child.kill('SIGSTOP');
        execFileSync('cp', ['--sparse=always', image, copy]);
        writer.process.child.kill('SIGCONT');
        await mounted(['-o', 'loop', copy], `${folder}/copy`, () => inspect(`${folder}/copy/data`, told));
        rmSync(copy);
      }
    } finally {
      await writer.process.kill();
      await writing;
    }
    note(
      `${rounds} power cuts under load with checkpoints, ${writer.acknowledged.length} acknowledged in all: 0 lost, every folder opened`,
    );
  });
}
