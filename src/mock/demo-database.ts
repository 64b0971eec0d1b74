import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../embedded-postgres/embedded-database.ts';

/** Opens the demo blog in a PostgreSQL in memory. The first start takes seconds to build it and caches a copy for the next. */
export async function openDemoDatabase(): Promise<EmbeddedDatabase> {
  const copy = join(CACHE, `${fingerprint()}.tar`);
  const cached = await openCopy(copy);
  if (cached !== undefined) return cached;
  console.error('Building the demo blog; the next start loads it from node_modules/.cache.');
  const database = await openEmbeddedDatabase({ folder: 'memory' });
  const { fillDemoDatabase } = await import('./fill-demo-database.ts');
  await fillDemoDatabase(database);
  cache(copy, await database.dumpDataDir());
  return database;
}

/** Nothing if there is no copy, if a parallel start replaces it, or if it is damaged. */
async function openCopy(copy: string): Promise<EmbeddedDatabase | undefined> {
  try {
    return await openEmbeddedDatabase({ folder: 'memory', loadDataDir: readFileSync(copy) });
  } catch {
    return undefined;
  }
}

/** Changes with whatever the copy is made from; package.json names the version of PGlite. */
function fingerprint(): string {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const files = statSync(source).isDirectory() ? readdirSync(source, { recursive: true, encoding: 'utf8' }) : [''];
    for (const file of files.toSorted().map((name) => join(source, name))) {
      if (statSync(file).isFile()) hash.update(file).update(readFileSync(file));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** Renamed into place when it is on the disk, so that no start reads an incomplete copy. Without write access nothing is cached. */
function cache(copy: string, data: Buffer): void {
  const incomplete = `${copy}.${process.pid}`;
  try {
    rmSync(CACHE, { recursive: true, force: true });
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(incomplete, data, { flush: true });
    renameSync(incomplete, copy);
  } catch {
    rmSync(incomplete, { force: true });
  }
}

const SOURCES = ['package.json', 'migrations', 'src/seeding'];
const CACHE = 'node_modules/.cache/mock';
