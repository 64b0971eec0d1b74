import { findMigration } from '../apply/targets.ts';
import { MigrationProblem } from '../problems.ts';

/** A part of history: `start` and `end` count the migrations before each end. It goes backwards if the end comes first. */
export interface Range {
  start: number;
  end: number;
}

/** FROM:TO, such as base:head, as positions in history. TO alone begins at base. */
export function readRange(range: string, names: readonly string[], command: string): Range {
  const [from, to, more] = range.includes(':') ? range.split(':') : ['base', range];
  if (more !== undefined) {
    throw new MigrationProblem('unknown-target', `"${range}" is not a range; it must be FROM:TO, such as base:head.`);
  }
  return { start: positionOf(from || 'base', names, command), end: positionOf(to || 'head', names, command) };
}

/** The number of migrations up to this point of history. */
export function positionOf(text: string, names: readonly string[], command: string): number {
  if (text === 'base' || text === '0') return 0;
  if (text === 'head') return names.length;
  const back = /^-(\d+)$/.exec(text);
  if (back) return Math.max(0, names.length - Number(back[1]));
  return names.indexOf(findMigration(text, names, command)) + 1;
}
