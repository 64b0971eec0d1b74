import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import {
  type EmbeddedDatabase,
  type EmbeddedDatabaseOptions,
  openEmbeddedDatabase,
} from '../../src/embedded-postgres/embedded-database.ts';

/** An embedded database that is closed after the test; in memory and without fsync unless `options` says otherwise. */
export async function openTestDatabase(options: Partial<EmbeddedDatabaseOptions> = {}): Promise<EmbeddedDatabase> {
  const database = await openEmbeddedDatabase({
    folder: 'memory',
    durable: false,
    loadDataDir: await freshDataDir(),
    ...options,
  });
  onTestFinished(() => database.close({ transactionTimeout: 0 }));
  return database;
}

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data');
}

export async function connect(database: { connection: EmbeddedDatabase['connection'] }, options: pg.ClientConfig = {}) {
  const one = new pg.Client({ ...clientConfig(database), ...options });
  one.on('error', () => {}); // queries report it
  await one.connect();
  onTestFinished(() => one.end().catch(() => {}));
  return one;
}

export function clientConfig({ connection }: { connection: EmbeddedDatabase['connection'] }): pg.ClientConfig {
  const { dbName, ...rest } = connection;
  return { ...rest, database: dbName };
}

export const errorOf = (promise: Promise<unknown>): Promise<{ code?: string; message: string }> =>
  promise.then(
    () => ({ message: 'it did not fail' }),
    (error: Error) => error,
  );

let dataDir: Promise<Buffer> | undefined;

/** The files of a new database: creating them takes seconds, copying them a fraction of one. */
export function freshDataDir(): Promise<Buffer> {
  dataDir ??= openEmbeddedDatabase({ folder: 'memory' }).then(async (database) => {
    const copy = await database.dumpDataDir();
    await database.close();
    return copy;
  });
  return dataDir;
}
