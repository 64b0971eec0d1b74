import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DataFolderError, type DataPaths } from './paths.ts';

/** Prepares the folder for the engine. Returns whether it is new, removing what an interrupted start left in it. */
export function prepareFolder({ folder, initMarker }: DataPaths): boolean {
  if (existsSync(initMarker)) rmSync(folder, { recursive: true, force: true });
  else if (existsSync(join(folder, 'PG_VERSION'))) {
    const version = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
    if (version === POSTGRES_VERSION) return false;
    throw new DataFolderError(
      `${folder} was created by PostgreSQL ${version}, but this is PostgreSQL ${POSTGRES_VERSION}. Dump it with the version that created it (npm run db:dump), and restore the dump into a new folder.`,
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length > 0)
    throw new DataFolderError(`${folder} contains files but no database; choose another folder.`);
  writeFileSync(initMarker, '');
  fsyncPath(initMarker);
  return true;
}

/** The major version of PostgreSQL that PGlite is. */
const POSTGRES_VERSION = '18';

/** Completes a new folder: PGlite unpacks it without fsync, so it counts only once every file is on disk. */
export async function finishFolder(
  { folder, runFolder, initMarker }: DataPaths,
  { durable, run }: { durable: boolean; run(sql: string): Promise<unknown> },
): Promise<void> {
  // The templates serve `create database`. They are two thirds of the files, and a start after a crash syncs every file.
  await run('update pg_catalog.pg_database set datistemplate = false');
  for (const template of ['template0', 'template1']) await run(`drop database if exists ${template}`);
  await run('checkpoint');
  if (durable) {
    for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) fsyncPath(join(folder, entry));
    fsyncPath(folder);
    fsyncPath(join(folder, '..'));
  }
  rmSync(initMarker);
  if (durable) fsyncPath(runFolder);
}

function fsyncPath(path: string): void {
  if (process.platform === 'win32') return; // Windows cannot fsync folders, nor files opened for reading
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
