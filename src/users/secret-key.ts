import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The key of a machine on which nobody has chosen one: made once and kept, so that tokens outlive a restart. */
export function keptSecretKey(dataFolder: string): { key: string; file: string } {
  const file = join(dataFolder, 'secret-key');
  if (!existsSync(file)) {
    mkdirSync(dataFolder, { recursive: true });
    // On the disk before it is renamed into place: neither a crash nor a power cut leaves half of a key behind.
    writeFileSync(`${file}.new`, randomBytes(48).toString('base64'), { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  }
  const key = readFileSync(file, 'utf8');
  if (key.length < 32)
    throw new Error(`${file} holds no key of at least 32 characters. Delete it, and a new one is made.`);
  return { key, file };
}
