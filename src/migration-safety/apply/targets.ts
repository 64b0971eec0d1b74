import { MigrationProblem } from '../problems.ts';

export interface Targets {
  from?: string | number;
  to?: string | number;
  migrations?: string[];
}

export interface History {
  /** Every migration there is a file for, oldest first. */
  all: readonly string[];
  /** Every migration the database has recorded, in the order it was applied. */
  executed: readonly string[];
}

/** The migrations to run, in order. Says what is wrong with a target instead of guessing: nothing has run yet. */
export function chooseMigrations(method: 'up' | 'down', targets: Targets, history: History): string[] {
  return method === 'up' ? chooseUp(targets, history) : chooseDown(targets, history);
}

/**
 * Refuses what the stock commands take for no option at all: `--to "$VERSION"` with nothing in it, and `--only` beside
 * `--to`. The one would run everything, the other something else than was said.
 */
export function refuseIncompleteOptions(argv: readonly string[]): void {
  const given = argv.flatMap((arg, i) => {
    const [, option, inline] = /^(--to|--from|--only|-[tfo])(?:=(.*))?$/.exec(arg) ?? [];
    return option ? [{ option, value: inline ?? argv[i + 1] ?? '' }] : [];
  });
  for (const { option, value } of given) {
    if (value !== '' && !value.startsWith('--')) continue;
    throw new MigrationProblem('unknown-target', `${option} has no value. Nothing was changed.`);
  }
  const [only, other] = [/^(--only|-o)$/, /^(--to|--from|-[tf])$/].map((which) =>
    given.find(({ option }) => which.test(option)),
  );
  if (only && other) {
    throw new MigrationProblem(
      'unknown-target',
      `${only.option} and ${other.option} are two ways of choosing; give one of them. Nothing was changed.`,
    );
  }
}

function chooseUp({ from, to, migrations }: Targets, { all, executed }: History): string[] {
  const done = new Set(executed);
  const pending = all.filter((name) => !done.has(name));
  if (migrations) {
    const wanted = new Set(migrations.map((name) => findMigration(name, all, '--only')));
    return pending.filter((name) => wanted.has(name));
  }
  const start = from ? all.indexOf(findMigration(String(from), all, '--from')) + 1 : 0;
  const range = pending.filter((name) => all.indexOf(name) >= start);
  // 0 means "the latest" to the stock command; its own success message says so.
  if (!to || to === 'head') return range;
  const steps = /^\+(\d+)$/.exec(String(to));
  if (steps) return range.slice(0, Number(steps[1]));
  if (to === 'base' || /^-\d+$/.test(String(to))) throw wrongWay(String(to), 'up', 'down');
  const end = all.indexOf(findMigration(String(to), all, '--to'));
  return range.filter((name) => all.indexOf(name) <= end);
}

function chooseDown({ from, to, migrations }: Targets, { all, executed }: History): string[] {
  const newestFirst = [...executed].reverse();
  if (from) {
    throw new MigrationProblem(
      'unknown-target',
      `migration:down has no --from: it always starts at the newest applied migration.\nSay where it ends: --to <name>, --to -2, --to base.`,
    );
  }
  if (migrations) {
    const wanted = new Set(migrations.map((name) => findApplied(name, all, executed, '--only')));
    return newestFirst.filter((name) => wanted.has(name));
  }
  if (to === 0 || to === 'base') return newestFirst;
  if (to === undefined) return newestFirst.slice(0, 1);
  if (to === 'head') return [];
  const steps = /^-(\d+)$/.exec(String(to));
  if (steps) return newestFirst.slice(0, Number(steps[1]));
  if (/^\+\d+$/.test(String(to))) throw wrongWay(String(to), 'down', 'up');
  const stop = findApplied(String(to), all, executed, '--to');
  return newestFirst.slice(0, newestFirst.indexOf(stop));
}

/**
 * The one migration a person means: its name, with or without extension; the beginning of its name or of its
 * timestamp; or the beginning of what it does. More than one match, or none, is an error that helps.
 */
export function findMigration(text: string, all: readonly string[], option: string): string {
  const wanted = text.replace(/\.[cm]?[jt]s$/, '');
  if (all.includes(wanted)) return wanted;
  const readings = [
    (name: string) => name.startsWith(wanted) || name.replace(/^\D+/, '').startsWith(wanted),
    (name: string) => slug(name).startsWith(wanted),
  ];
  for (const reads of readings) {
    const found = wanted === '' ? [] : all.filter(reads);
    if (found.length === 1 && found[0]) return found[0];
    if (found.length > 1) {
      throw new MigrationProblem(
        'unknown-target',
        `${option} ${text} fits ${found.length} migrations:\n${found.map((name) => `  ${name}`).join('\n')}\nGive more of the name. Nothing was changed.`,
      );
    }
  }
  const near = nearest(wanted, all);
  const hint = near
    ? `Did you mean ${near}?`
    : `The newest are:\n${all
        .slice(-3)
        .map((name) => `  ${name}`)
        .join('\n')}`;
  throw new MigrationProblem(
    'unknown-target',
    `There is no migration ${text} (${option}).${all.length > 0 ? `\n${hint}` : ''}\nNothing was changed.`,
  );
}

function findApplied(text: string, all: readonly string[], executed: readonly string[], option: string): string {
  const known = [...new Set([...all, ...executed])].sort();
  const name = findMigration(text, known, option);
  if (executed.includes(name)) return name;
  throw new MigrationProblem(
    'unknown-target',
    `${option} ${name}: this migration has not been applied to this database, so there is no way down to it.\nNothing was changed.`,
  );
}

function wrongWay(target: string, method: string, other: string): MigrationProblem {
  return new MigrationProblem(
    'unknown-target',
    `migration:${method} can not go to ${target}; that is the way of migration:${other}. Nothing was changed.`,
  );
}

/** Migration20260101120000_add_summary → add_summary */
export function slug(name: string): string {
  return name.replace(/^\D*\d+_?/, '');
}

/** The name that takes the fewest edits, if it is close enough to be a slip of the fingers. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  const lower = text.toLowerCase();
  const scored = names.flatMap((name) =>
    [name, slug(name), name.replace(/^\D+/, '')].map((part) => ({ name, edits: distance(lower, part.toLowerCase()) })),
  );
  const best = scored.sort((a, b) => a.edits - b.edits)[0];
  return best && best.edits <= Math.max(2, text.length * 0.4) ? best.name : undefined;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
