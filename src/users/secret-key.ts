import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The key of a machine on which nobody has chosen one: made once and kept, so that tokens outlive a restart. */
export function keptSecretKey(dataFolder: string): { key: string; file: string } {
  const file = join(dataFolder, 'secret-key');
  if (!existsSync(file)) {
    mkdirSync(dataFolder, { recursive: true });
    // Renamed into place: a crash leaves no half of a key behind.
    writeFileSync(`${file}.new`, randomBytes(48).toString('base64'), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  const key = readFileSync(file, 'utf8');
  if (key.length < 32)
    throw new Error(`${file} holds no key of at least 32 characters. Delete it, and a new one is made.`);
  return { key, file };
}
