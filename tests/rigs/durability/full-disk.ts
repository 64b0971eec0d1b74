import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { BlogServer } from './blog-server.ts';
import { type Rig, withMount } from './rig.ts';
import { check, Writers } from './writers.ts';

/** Fills a small disk, nearly and then completely, faster than its free space is checked, and frees it again. */
export async function fullDisk({ short, folder, note, progress }: Rig): Promise<void> {
  const rounds = short ? 1 : 10;
  const disk = `${folder}/disk`;
  await withMount(['-t', 'tmpfs', '-o', 'size=260m', 'tmpfs'], disk, async () => {
    const server = await BlogServer.start(`${disk}/data`);
    const writers = new Writers();
    try {
      await writers.register(server);
      const writing = writers.write(server);
      for (let round = 0; round < rounds; round += 1) {
        await writers.until('writes work', () => writers.acknowledgements > round * 50);
        await fill(disk, 30, writers);
        await server.query('{ articles(first: 20) { totalCount nodes { title tagList } } }'); // reads still work
        await empty(disk, writers);
        await fill(disk, 0, writers);
        await empty(disk, writers);
        progress(round + 1, rounds, 'times full');
      }
      writers.stop();
      await writing;
      await check(server, writers.acknowledged);
    } finally {
      writers.stop();
      await server.kill();
    }
    note(`${rounds} times nearly full: writes were refused with SERVICE_UNAVAILABLE, reads worked`);
    note(`${rounds} times full to the last byte: the same server resumed writes once there was space`);
    note(`${writers.acknowledgements} acknowledged, ${writers.refused} refused, 0 lost`);
  });
}

async function fill(disk: string, remaining: number, writers: Writers): Promise<void> {
  const before = writers.refused;
  takeSpace(`${disk}/filler`, () => freeSpace(disk) > remaining * MEGABYTE);
  await writers.until(`writes are refused with ${remaining} MB free`, () => writers.refused > before + 4);
}

/** Writes in small pieces: the server also uses space, and a write that is too large would take none. */
function takeSpace(path: string, needsMore: () => boolean): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [MEGABYTE, 4096]) while (needsMore() && tryWrite(file, Buffer.alloc(size, 1)));
  } finally {
    closeSync(file);
  }
}

function tryWrite(file: number, piece: Buffer): boolean {
  try {
    return writeSync(file, piece) === piece.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

function freeSpace(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

const MEGABYTE = 1024 * 1024;

async function empty(disk: string, writers: Writers): Promise<void> {
  rmSync(`${disk}/filler`);
  const before = writers.acknowledgements;
  await writers.until('writes work again', () => writers.acknowledgements > before + 10);
}
