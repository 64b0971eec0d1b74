import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';

/**
 * An empty PostgreSQL in memory. Its initdb takes seconds, so the first data folder is cached, packed, in
 * node_modules/.cache; opening a copy takes a fifth of the time.
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
      // Corrupt: replace it.
      await rm(file, { force: true });
    }
  }
  const engine = await PGlite.create({ extensions });
  await writeCache(file, await engine.dumpDataDir('gzip'));
  return engine;
}

/** By version, because another version may not read the data. */
async function cacheFile(): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'));
  const nodeModules = entry.slice(0, entry.lastIndexOf('node_modules') + 'node_modules'.length);
  const { version } = JSON.parse(await readFile(join(nodeModules, '@electric-sql/pglite/package.json'), 'utf8'));
  return join(nodeModules, `.cache/migration-safety/pglite-${version}.tar.gz`);
}

/** Renames the file into place, so that no process reads half of it. If the folder is not writable, there is no cache. */
async function writeCache(file: string, packed: Blob): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  try {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(temporary, packed.stream());
    await rename(temporary, file);
  } catch {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
