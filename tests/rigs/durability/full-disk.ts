import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { BlogServer } from './blog-server.ts';
import { mounted, type Rig } from './rig.ts';
import { check, Writers } from './writers.ts';

/** A small disk that fills up, once nearly and once to the last byte faster than anyone looks, and is emptied again. */
export async function fullDisk({ short, folder, note, round: told }: Rig): Promise<void> {
  const rounds = short ? 1 : 10;
  const disk = `${folder}/disk`;
  await mounted(['-t', 'tmpfs', '-o', 'size=260m', 'tmpfs'], disk, async () => {
    const server = await BlogServer.start(`${disk}/data`);
    const writers = new Writers();
    try {
      await writers.register(server);
      const writing = writers.write(server);
      for (let round = 0; round < rounds; round += 1) {
        await writers.until('writes go on', () => writers.acknowledgements > round * 50);
        await fill(disk, 30, writers);
        await server.ask('{ articles(first: 20) { totalCount nodes { title tagList } } }'); // reads go on
        await emptied(disk, writers);
        await fill(disk, 0, writers);
        await emptied(disk, writers);
        told(round + 1, rounds, 'times full');
      }
      writers.stop();
      await writing;
      await check(server, writers.acknowledged);
    } finally {
      writers.stop();
      await server.kill();
    }
    note(`${rounds} times nearly full: writes were refused with SERVICE_UNAVAILABLE, reads went on`);
    note(`${rounds} times full to the last byte: the same server wrote on once there was space`);
    note(`${writers.acknowledgements} acknowledged, ${writers.refused} refused, 0 lost`);
  });
}

async function fill(disk: string, leave: number, writers: Writers): Promise<void> {
  const before = writers.refused;
  takeSpace(`${disk}/filler`, () => free(disk) > leave * MEGABYTE);
  await writers.until(`writes are refused with ${leave} MB left`, () => writers.refused > before + 4);
}

/** In pieces: others take space at the same time, and one that is too large would get none. */
function takeSpace(path: string, wantsMore: () => boolean): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [MEGABYTE, 4096]) while (wantsMore() && isWritten(file, Buffer.alloc(size, 1)));
  } finally {
    closeSync(file);
  }
}

function isWritten(file: number, piece: Buffer): boolean {
  try {
    return writeSync(file, piece) === piece.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

function free(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

const MEGABYTE = 1024 * 1024;

async function emptied(disk: string, writers: Writers): Promise<void> {
  rmSync(`${disk}/filler`);
  const before = writers.acknowledgements;
  await writers.until('writes come back', () => writers.acknowledgements > before + 10);
}
