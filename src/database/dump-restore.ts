/** `npm run db:dump [file]` and `npm run db:restore [file]`: the embedded database to plain SQL, and back. */
import { createReadStream, statSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type EmbeddedDatabase, openEmbeddedDatabase } from '../embedded-postgres/embedded-database.ts';
import { readDatabaseEnvironment } from '../environment.ts';
import { embeddedFolder } from './open-database.ts';

const { values, positionals } = readArguments();
const [command, file = 'conduit.sql'] = positionals;
const folder = values.folder ?? embeddedFolder(readDatabaseEnvironment().dataFolder);

try {
  const database = await openEmbeddedDatabase({ folder, log: progress });
  try {
    if (command === 'dump') await dump(database);
    else if (command === 'restore') await restore(database);
    else throw new Error(`"${command}" is neither dump nor restore.`);
  } finally {
    await database.close({ waitForClients: true });
  }
} catch (error) {
  progress(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { folder: { type: 'string' }, replace: { type: 'boolean', default: false } },
    });
  } catch (error) {
    const usage =
      'Usage: npm run db:dump [-- --folder DIR] [file]   npm run db:restore [-- --folder DIR --replace] [file]';
    progress(`${(error as Error).message}\n${usage}`);
    process.exit(1);
  }
}

async function dump(database: EmbeddedDatabase): Promise<void> {
  const sql = await database.dumpSql((table) => progress(`rows of ${table}`));
  // Renamed when complete, so that the file is never half of a dump. Made anew, so that a link which someone put in its
  // place is not followed.
  const part = `${file}.part`;
  await rm(part, { force: true });
  await writeFile(part, sql, { flag: 'wx', mode: 0o600, flush: true });
  await rename(part, file);
  progress(
    `${file}: ${(Buffer.byteLength(sql) / 1e6).toFixed(1)} MB. Load it with: psql -v ON_ERROR_STOP=1 -f ${file} "$DATABASE_URL"`,
  );
}

async function restore(database: EmbeddedDatabase): Promise<void> {
  await database.restoreSql(readWithProgress(file), { replace: values.replace });
  progress(`Restored ${file} into the embedded database.`);
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function* readWithProgress(path: string): AsyncGenerator<string> {
  const { size } = statSync(path);
  let read = 0;
  let reported = 0;
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 256 * 1024 })) {
    yield chunk;
    read += Buffer.byteLength(chunk);
    const tenth = Math.floor((10 * read) / size);
    if (tenth > reported) progress(`${tenth * 10}% of ${path}`);
    reported = tenth;
  }
}
