import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { MigrationFile } from '../history/migration-file.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { isPacked } from './packed-databases.ts';
import { openShadowDatabase, type ShadowDatabase } from './shadow-database.ts';

/**
 * Opens a shadow database in which these migrations have run, or all. It starts from a packed copy of the longest part
 * of this history that has run before.
 */
export async function openShadowAfterHistory(migrator: MigratorParts, names?: string[]): Promise<ShadowDatabase> {
  const files = (await migrator.readMigrations()).filter(({ name }) => !names || names.includes(name));
  const keys = await keysOf(files, migrator);
  const newest = await longestPacked(keys);
  const shadow = await openShadowDatabase(migrator, newest);
  try {
    if (files.length > 0) await shadow.migrator.up({ migrations: files.map(({ name }) => name) });
    if (newest !== keys.at(-1)) await shadow.pack(String(keys.at(-1)));
    return shadow;
  } catch (error) {
    await shadow.close();
    throw error;
  }
}

async function longestPacked(keys: string[]): Promise<string | undefined> {
  for (const key of [...keys].reverse()) if (await isPacked(key)) return key;
  return undefined;
}

/** A name for the state after each migration: a hash of all checksums so far. */
async function keysOf(files: MigrationFile[], { config, options }: MigratorParts): Promise<string[]> {
  const { tableName, schema } = options;
  let state = JSON.stringify([tableName, schema, config.get('schema')]);
  const keys: string[] = [];
  for (const file of files) {
    // The checksum of code does not cover the constants of its file.
    const code = file.dynamic.up && file.path ? await readFile(file.path, 'utf8').catch(() => '') : '';
    state = createHash('sha256')
      .update(JSON.stringify([state, file.name, file.transactional, file.checksum, code]))
      .digest('hex')
      .slice(0, 32);
    keys.push(`history-${state}`);
  }
  return keys;
}
