import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The key of a machine on which nobody has chosen one: made once and kept, so that tokens outlive a restart. */
export function keptSecretKey(dataFolder: string): { key: string; file: string } {
  const file = join(dataFolder, 'secret-key');
  if (!existsSync(file)) {
    mkdirSync(dataFolder, { recursive: true });
    writeFileSync(file, randomBytes(48).toString('base64'), { mode: 0o600, flag: 'wx' });
  }
  return { key: readFileSync(file, 'utf8'), file };
}
