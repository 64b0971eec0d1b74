import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';

export type Extensions = NonNullable<PGliteOptions['extensions']>;

/** Copies of databases in memory that are kept; each is about 4 MB. */
const KEPT = 8;

/** Opens a copy of a database that was packed under this name; undefined if there is none, or it is corrupt. */
export async function openPackedDatabase(name: string, extensions: Extensions): Promise<PGlite | undefined> {
  const file = await fileOf(name);
  const packed = await readFile(file).catch(() => undefined);
  if (!packed) return undefined;
  try {
    const folder = await promisify(zstdDecompress)(packed);
    const engine = await createEngine({ extensions, loadDataDir: new Blob([new Uint8Array(folder)]) });
    const now = new Date();
    await utimes(file, now, now).catch(() => {});
    return engine;
  } catch {
    await rm(file, { force: true }).catch(() => {});
    return undefined;
  }
}

/** Creates a PGlite that takes any number of errors: each one leaves a part of the stack in use, about 2,500 fill it. */
export async function createEngine(options: PGliteOptions): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite');
  const engine = await PGlite.create(options);
  const { ___stack_pointer: stack } = engine.Module as unknown as { ___stack_pointer: { value: number } };
  const execute = engine.execProtocolRawSync.bind(engine);
  engine.execProtocolRawSync = (message) => {
    const before = stack.value;
    try {
      return execute(message);
    } finally {
      stack.value = before;
    }
  };
  return engine;
}

/** Packs the database. The file is renamed into place, so that no process reads half of it. */
export async function packDatabase(name: string, engine: PGlite): Promise<void> {
  const file = await fileOf(name);
  const temporary = `${file}.${process.pid}`;
  try {
    await mkdir(join(file, '..'), { recursive: true });
    const folder = await (await engine.dumpDataDir('none')).arrayBuffer();
    // The checksum detects a file that was truncated or changed.
    const params = { [constants.ZSTD_c_checksumFlag]: 1 };
    await writeFile(temporary, await promisify(zstdCompress)(new Uint8Array(folder), { params }));
    await rename(temporary, file);
    await removeOldest(join(file, '..'));
  } catch {
    // If the folder is not writable, nothing is cached.
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** Whether a database is packed under this name. */
export async function isPacked(name: string): Promise<boolean> {
  return stat(await fileOf(name)).then(
    () => true,
    () => false,
  );
}

/** In node_modules/.cache, by the version of the engine, because another version may not read the data. */
async function fileOf(name: string): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'));
  const nodeModules = entry.slice(0, entry.lastIndexOf('node_modules') + 'node_modules'.length);
  const { version } = JSON.parse(await readFile(join(nodeModules, '@electric-sql/pglite/package.json'), 'utf8'));
  return join(nodeModules, `.cache/migration-safety/pglite-${version}-${name}.tar.zst`);
}

async function removeOldest(folder: string): Promise<void> {
  const files = await Promise.all(
    (await readdir(folder)).map(async (name) => ({
      path: join(folder, name),
      used: (await stat(join(folder, name))).mtimeMs,
    })),
  );
  const oldest = files.sort((a, b) => b.used - a.used).slice(KEPT);
  for (const { path } of oldest) await rm(path, { force: true });
}
