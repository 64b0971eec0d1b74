import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a rig gets: how often to do it, and a folder that goes with it. */
export interface Rig {
  short: boolean;
  folder: string;
  /** A figure for the record. */
  note(line: string): void;
  /** What a round has come to; told every tenth time, as a sign of life. */
  round(done: number, of: number, line?: string): void;
}

/** What was promised did not hold. */
export class Broken extends Error {}

export const isRoot = process.getuid?.() === 0;

export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'durability-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Mounts, and sees to it that nothing stays mounted. */
export async function mounted<T>(args: string[], at: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(at, { recursive: true });
  execFileSync('mount', [...args, at]);
  try {
    return await work();
  } finally {
    execFileSync('umount', ['-l', at]);
  }
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, patience = 60_000): Promise<void> {
  for (const end = Date.now() + patience; !(await isSo()); await pause(20)) {
    if (Date.now() > end) throw new Broken(`Within ${patience / 1000} s it did not come about that ${what}.`);
  }
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const between = (least: number, most: number) => least + Math.floor(Math.random() * (most - least));

export function percentile(figures: number[], part: number): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}
