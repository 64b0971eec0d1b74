import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';

/**
 * A PostgreSQL in memory, without a table in it. Making one from nothing is initdb, seconds of work; so the first is
 * kept, packed, in node_modules/.cache, and the others are copies of it, in a fifth of the time.
 */
export async function openMemoryEngine(extensions: PGliteOptions['extensions'] = {}): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite');
  const file = await cacheFile();
  const packed = await readFile(file).catch(() => undefined);
  if (packed) {
    try {
      const loadDataDir = new Blob([new Uint8Array(packed)], { type: 'application/gzip' });
      return await PGlite.create({ extensions, loadDataDir });
    } catch {
      // Not what it should be: the next one is made anew.
      await rm(file, { force: true });
    }
  }
  const made = await PGlite.create({ extensions });
  await keep(file, await made.dumpDataDir('gzip'));
  return made;
}

/** Beside the engine's package, and of its version: another one may not read the data of this one. */
async function cacheFile(): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'));
  const home = entry.slice(0, entry.lastIndexOf('node_modules') + 'node_modules'.length);
  const { version } = JSON.parse(await readFile(join(home, '@electric-sql/pglite/package.json'), 'utf8'));
  return join(home, `.cache/migration-safety/pglite-${version}.tar.gz`);
}

/** Renamed into place, so that nobody reads half of it. A folder that can't be written to has no cache, and works. */
async function keep(file: string, packed: Blob): Promise<void> {
  const own = `${file}.${process.pid}`;
  try {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(own, packed.stream());
    await rename(own, file);
  } catch {
    await rm(own, { force: true }).catch(() => {});
  }
}
