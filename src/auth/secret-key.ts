import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The secret key for a server without a configured one: generated once and stored, so that tokens survive a restart. */
export function loadSecretKey(dataFolder: string): { key: string; file: string } {
  const file = join(dataFolder, 'secret-key');
  if (!existsSync(file)) {
    mkdirSync(dataFolder, { recursive: true });
    // Flushed to disk before it gets its name, so that neither a crash nor a power cut leaves half a key.
    const made = `${file}.${randomUUID()}`;
    writeFileSync(made, randomBytes(48).toString('base64'), { mode: 0o600, flush: true });
    try {
      linkSync(made, file);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // If several servers start at once, the first key is kept; on file systems without links, the last one.
      if (NO_LINKS.includes(code)) renameSync(made, file);
      else if (code !== 'EEXIST') throw error;
    } finally {
      rmSync(made, { force: true });
    }
  }
  const key = readFileSync(file, 'utf8');
  if (key.length < 32)
    throw new Error(`${file} does not contain a key of at least 32 characters. Delete it to generate a new one.`);
  return { key, file };
}

const NO_LINKS = ['EPERM', 'ENOTSUP', 'ENOSYS'];
