import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The context of one rig. */
export interface Rig {
  /** Few rounds, for CI. */
  short: boolean;
  /** Removed after the rig. */
  folder: string;
  /** Prints a result. */
  note(line: string): void;
  /** Reports a finished round; every tenth is printed. */
  progress(done: number, of: number, what: string): void;
}

/** A guarantee of the embedded database does not hold. */
export class GuaranteeBroken extends Error {}

export const isRoot = process.getuid?.() === 0;

export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'durability-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Mounts a disk for the time of `work`. */
export async function withMount<T>(args: string[], at: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(at, { recursive: true });
  execFileSync('mount', [...args, at]);
  try {
    return await work();
  } finally {
    execFileSync('umount', ['-l', at]);
  }
}

/** Waits until `condition` holds; `what` names it in the error. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeout = 60_000,
): Promise<void> {
  for (const end = Date.now() + timeout; !(await condition()); await pause(20)) {
    if (Date.now() > end) throw new GuaranteeBroken(`Timed out after ${timeout / 1000} s waiting until ${what}.`);
  }
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const randomBetween = (min: number, max: number) => min + Math.floor(Math.random() * (max - min));

export function percentile(values: number[], fraction: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0);
}
