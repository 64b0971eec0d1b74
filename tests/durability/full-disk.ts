import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync } from 'node:fs';
import { check, mounted, pause, type Rig, Writer } from './rig.ts';

/** A small disk that fills up twice, slowly by our own writes and at once by somebody else's, and is emptied again. */
export async function fullDisk({ short, folder, note }: Rig): Promise<void> {
  const rounds = short ? 1 : 10;
  await mounted(['-t', 'tmpfs', '-o', 'size=220m', 'tmpfs'], `${folder}/disk`, async () => {
    const disk = `${folder}/disk`;
    const writer = new Writer(`${disk}/data`);
    await writer.prepare();
    const writing = writer.write();
    try {
      for (let round = 0; round < rounds; round += 1) {
        await fill(disk, 30, writer); // nearly full: writes are refused in time, and reads go on
        await readsGoOn(writer);
        rmSync(`${disk}/filler`);
        await goesOn(writer);
        await fill(disk, 0, writer); // full to the last byte, faster than anyone looks
        rmSync(`${disk}/filler`);
        await goesOn(writer);
        note(
          `round ${round + 1}: ${writer.refused} writes refused so far, reads went on, writes came back without a restart by hand`,
        );
      }
      writer.stop();
      await writing;
      await check(writer.process, writer.acknowledged);
    } finally {
      writer.stop();
      await writer.process.kill();
      await writing;
    }
    note(`${writer.acknowledged.length} acknowledged, 0 lost`);
  });
}

async function fill(disk: string, leave: number, writer: Writer): Promise<void> {
  const { bavail, bsize } = statfsSync(disk);
  const room = bavail * bsize - leave * 1024 * 1024;
  const before = writer.refused;
  if (room > 0) execFileSync('fallocate', ['-l', String(room), `${disk}/filler`]);
  for (const until = Date.now() + 30_000; writer.refused === before; await pause(20)) {
    if (Date.now() > until) throw new Error(`Writes went on for 30 s with ${leave} MB left.`);
  }
}

async function readsGoOn(writer: Writer): Promise<void> {
  const { rows, message } = await writer.reads();
  if (rows === undefined) throw new Error(`Reads stopped: ${message}`);
}

async function goesOn(writer: Writer): Promise<void> {
  const before = writer.acknowledged.length;
  for (const until = Date.now() + 60_000; writer.acknowledged.length === before; await pause(50)) {
    if (Date.now() > until) throw new Error('Writes did not come back within 60 s of space.');
  }
}
