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

/** An open embedded database that goes with its test. */
export async function opened(options: Partial<EmbeddedDatabaseOptions> = {}): Promise<EmbeddedDatabase> {
  const database = await openEmbeddedDatabase({
    folder: 'memory',
    durable: false,
    loadDataDir: await fresh(),
    ...options,
  });
  onTestFinished(() => database.close({ transactionTimeout: 0 }));
  return database;
}

export function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data');
}

export async function client(database: { connection: EmbeddedDatabase['connection'] }, options: pg.ClientConfig = {}) {
  const one = new pg.Client({ ...address(database), ...options });
  one.on('error', () => {}); // a test that ends the database is told by its queries
  await one.connect();
  onTestFinished(() => one.end().catch(() => {}));
  return one;
}

export function address({ connection }: { connection: EmbeddedDatabase['connection'] }): pg.ClientConfig {
  const { dbName, ...rest } = connection;
  return { ...rest, database: dbName };
}

export const failure = (promise: Promise<unknown>): Promise<{ code?: string; message: string }> =>
  promise.then(
    () => ({ message: 'it did not fail' }),
    (error: Error) => error,
  );

let made: Promise<Buffer> | undefined;

/** A new database's files: making them anew takes seconds, copying them a fraction of one. */
export function fresh(): Promise<Buffer> {
  made ??= openEmbeddedDatabase({ folder: 'memory' }).then(async (database) => {
    const copy = await database.dumpDataDir();
    await database.close();
    return copy;
  });
  return made;
}
