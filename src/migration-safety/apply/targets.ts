import { MigrationProblem } from '../problems.ts';

export interface Targets {
  from?: string | number;
  to?: string | number;
  migrations?: string[];
}

export interface History {
  /** The migrations with a file, oldest first. */
  all: readonly string[];
  /** The migrations in the tracking table, in the order they were applied. */
  executed: readonly string[];
}

/** The migrations to run, in order. Throws on an ambiguous or unknown target, before anything runs. */
export function chooseMigrations(method: 'up' | 'down', targets: Targets, history: History): string[] {
  return method === 'up' ? chooseUp(targets, history) : chooseDown(targets, history);
}

/**
 * Refuses options that the stock commands ignore: `--to "$VERSION"` with an empty value, which would run everything,
 * and `--only` beside `--to`.
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
      `${only.option} and ${other.option} cannot be combined; use one of them. Nothing was changed.`,
    );
  }
}

/**
 * Refuses to leave out a migration between others (`--only`, `--from`): its place in history would be empty, and the next
 * run would find it out of order.
 */
export function refuseHoles(method: 'up' | 'down', chosen: readonly string[], { all, executed }: History): void {
  const done = new Set(executed);
  const left =
    method === 'up'
      ? all.filter((name) => !done.has(name) && !chosen.includes(name) && name < (chosen.toSorted().at(-1) ?? ''))
      : executed.slice(executed.indexOf(chosen.at(-1) ?? '') + 1).filter((name) => !chosen.includes(name));
  if (left.length === 0 || chosen.length === 0) return;
  const what = method === 'up' ? 'is older, and has not been applied' : 'was applied later, and stays applied';
  throw new MigrationProblem(
    'out-of-order',
    [
      `${chosen.join(', ')} would leave a hole in the history:`,
      ...left.map((name) => `  ${name} ${what}`),
      `Include ${left.length === 1 ? 'it' : 'them'}; or, if the order does not matter, MIGRATION_OUT_OF_ORDER=allow. Nothing was changed.`,
    ].join('\n'),
  );
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
  // The stock command takes 0 as "the latest", as its success message says.
  if (!to || to === 'head') return range;
  const steps = /^\+(\d+)$/.exec(String(to));
  if (steps) return range.slice(0, Number(steps[1]));
  if (to === 'base' || /^-\d+$/.test(String(to))) throw wrongDirection(String(to), 'up', 'down');
  const end = all.indexOf(findMigration(String(to), all, '--to'));
  return range.filter((name) => all.indexOf(name) <= end);
}

function chooseDown({ from, to, migrations }: Targets, { all, executed }: History): string[] {
  const newestFirst = [...executed].reverse();
  if (from) {
    throw new MigrationProblem(
      'unknown-target',
      `migration:down has no --from: it always starts at the newest applied migration.\nUse --to: --to <name>, --to -2, --to base.`,
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
  if (/^\+\d+$/.test(String(to))) throw wrongDirection(String(to), 'down', 'up');
  const stop = findApplied(String(to), all, executed, '--to');
  return newestFirst.slice(0, newestFirst.indexOf(stop));
}

/**
 * The one migration that the text names: its name, with or without extension; a prefix of the name or the timestamp; or
 * a prefix of the part after the timestamp. Throws if several match, or none.
 */
export function findMigration(text: string, all: readonly string[], option: string): string {
  const wanted = text.replace(/\.[cm]?[jt]s$/, '');
  if (all.includes(wanted)) return wanted;
  const matchers = [
    (name: string) => name.startsWith(wanted) || name.replace(/^\D+/, '').startsWith(wanted),
    (name: string) => slug(name).startsWith(wanted),
  ];
  for (const matches of matchers) {
    const found = wanted === '' ? [] : all.filter(matches);
    if (found.length === 1 && found[0]) return found[0];
    if (found.length > 1) {
      throw new MigrationProblem(
        'unknown-target',
        `${option} ${text} matches ${found.length} migrations:\n${found.map((name) => `  ${name}`).join('\n')}\nUse a longer part of the name. Nothing was changed.`,
      );
    }
  }
  const closest = closestName(wanted, all);
  const hint = closest
    ? `Did you mean ${closest}?`
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
    `${option} ${name}: this migration has not been applied to this database.\nNothing was changed.`,
  );
}

function wrongDirection(target: string, method: string, other: string): MigrationProblem {
  return new MigrationProblem(
    'unknown-target',
    `migration:${method} cannot go to ${target}; use migration:${other}. Nothing was changed.`,
  );
}

/** Migration20260101120000_add_summary → add_summary */
function slug(name: string): string {
  return name.replace(/^\D*\d+_?/, '');
}

/** The name with the smallest edit distance, if it is close enough to be a typo. */
function closestName(text: string, names: readonly string[]): string | undefined {
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
