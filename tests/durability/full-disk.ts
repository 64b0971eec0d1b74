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
        await fill(disk, 30, writer); // nearly full: refused, reads go on
        const read = await readsGoOn(writer);
        await fill(disk, 0, writer); // full to the last byte
        rmSync(`${disk}/filler`);
        await goesOn(writer);
        note(
          `round ${round + 1}: ${writer.refused} writes refused so far, reads ${read}, writes back without a restart by hand`,
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
  const room = Math.floor((bavail * bsize) / 1024 / 1024) - leave;
  const before = writer.refused;
  if (room > 0) {
    try {
      execFileSync('sh', [
        '-c',
        `dd if=/dev/zero of="${disk}/filler" bs=1M count=${leave === 0 ? 10_000 : room} oflag=append conv=notrunc 2>/dev/null`,
      ]);
    } catch {
      // dd says that the disk is full: that is what it was for
    }
  }
  for (const until = Date.now() + 30_000; writer.refused === before; await pause(20)) {
    if (Date.now() > until) throw new Error(`Writes went on for 30 s with ${leave} MB left.`);
  }
}

async function readsGoOn(writer: Writer): Promise<string> {
  // The writer's own questions are reads and writes in turn; a read of its own goes through the same process.
  const { rows, message } = await writer.reads();
  if (rows === undefined) throw new Error(`Reads stopped: ${message}`);
  return 'went on';
}

async function goesOn(writer: Writer): Promise<void> {
  const before = writer.acknowledged.length;
  for (const until = Date.now() + 60_000; writer.acknowledged.length === before; await pause(50)) {
    if (Date.now() > until) throw new Error('Writes did not come back within 60 s of space.');
  }
}
