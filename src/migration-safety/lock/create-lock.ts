import { mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigratorParts } from '../migrator-parts.ts';
import { FileLock } from './file-lock.ts';
import { withLock } from './lock.ts';

/**
 * Excludes every other migration:create of the folder, so that two at once do not write the same change: the second
 * starts from the files of the first.
 */
export function withCreateLock<T>(
  migrator: MigratorParts,
  path: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const { config, options, settings, log } = migrator;
  const folder = path ?? (options.emit === 'ts' && options.pathTs ? options.pathTs : (options.path ?? ''));
  const absolute = resolve(config.get('baseDir'), folder);
  mkdirSync(absolute, { recursive: true });
  const lock = new FileLock(join(absolute, '.create.lock'), { timeout: settings.lockTimeout, log }, false);
  return withLock(lock, async () => {
    while (hasNewest(readdirSync(absolute))) await sleep(1_000 - (Date.now() % 1_000));
    return work();
  });
}

/** Whether a file has a timestamp that a new one would not come after: several that are written at once are seconds apart. */
function hasNewest(files: string[]): boolean {
  const [now, soon] = [timestamp(Date.now()), timestamp(Date.now() + 60_000)];
  return files.flatMap((name) => /\d{14}/.exec(name)?.[0] ?? []).some((time) => time >= now && time < soon);
}

/** A moment as the names of migrations have it: 20260131235959. */
export const timestamp = (time: number) => new Date(time).toISOString().slice(0, 19).replace(/\D/g, '');
