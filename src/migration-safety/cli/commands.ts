import { formatLintFindings, formatRules, lintAll } from '../lint/lint.ts';
import { lintError } from '../lint/lint-before-run.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { EXIT_CODES, MigrationProblem } from '../problems.ts';
import { isInteractive, prompt } from '../terminal.ts';
import { checkMigrations, problemOf } from '../verify/check.ts';
import { findRepairs } from '../verify/repair.ts';
import { roundTripProblem, testRoundTrips } from '../verify/test-history.ts';
import { offlineSql } from './offline-sql.ts';
import { formatPlan, readPlan } from './plan.ts';
import { formatShown, readShown } from './show.ts';
import { formatStamped, stamp } from './stamp.ts';
import { formatStatuses, readHistory, readStatus, type Status } from './status.ts';

/** The options of all commands, as yargs reads them. */
export interface Options {
  contextName: string;
  config?: string[];
  json?: boolean;
  offline?: boolean;
  yes?: boolean;
  range?: string;
  from?: string;
  rules?: boolean;
  yesDestroy?: string;
  naive?: boolean;
  dryRun?: boolean;
  singleTransaction?: boolean;
  because?: string;
  name?: string;
  target?: string;
}

/** A command that the stock command line lacks. */
export interface Command {
  describe: string;
  positional?: string;
  options?: Record<string, { type: 'boolean' | 'string'; desc: string }>;
  examples?: [command: string, meaning: string][];
  run: (migrator: MigratorParts, options: Options) => Promise<void>;
}

const JSON_OPTION = { type: 'boolean', desc: 'Print JSON' } as const;

/** What `npm run migration` adds to the stock commands. */
export const commands: Record<string, Command> = {
  'migration:status': {
    describe: 'Show every migration and its state in the database',
    options: { json: JSON_OPTION },
    run: async (migrator, options) => showStatuses(await readStatus(migrator), options, 'There are no migrations.'),
  },
  'migration:history': {
    describe: 'Show what was applied: when, by whom, in how long, from which version',
    positional: '[range]',
    options: { json: JSON_OPTION },
    examples: [
      ['history -- -2:head', 'the two that were applied last'],
      ['history add_articles_slug:', 'what was applied after that one'],
    ],
    run: async (migrator, options) =>
      showStatuses(await readHistory(migrator, options.range), options, 'Nothing was applied yet.'),
  },
  'migration:show': {
    describe: 'Show one migration: its file, options, statements, lint findings, and state in the database',
    positional: '<name>',
    options: { json: JSON_OPTION, offline: { type: 'boolean', desc: 'Leave out the live database' } },
    examples: [
      ['show head', 'the newest one'],
      ['show add_articles_slug -- --offline', 'one of them, without a database'],
    ],
    run: async (migrator, { name = 'head', offline = false, json }) => {
      const found = await readShown(migrator, name, { offline });
      show(json ? JSON.stringify(found.shown, null, 2) : formatShown(found));
    },
  },
  'migration:current': {
    describe: 'Show the newest applied migration',
    options: { json: JSON_OPTION },
    run: async (migrator, options) => {
      const newest = (await readHistory(migrator)).at(-1);
      show(options.json ? JSON.stringify(newest ?? null, null, 2) : (newest?.name ?? 'base'));
    },
  },
  'migration:check': {
    describe: 'Compare entities, migrations, snapshot and database; each kind of fault has an exit code',
    options: { json: JSON_OPTION, offline: { type: 'boolean', desc: 'Leave out the live database' } },
    run: async (migrator, options) => {
      const { faults, byHand } = await checkMigrations(migrator, { offline: options.offline ?? false });
      if (options.json) {
        show(
          JSON.stringify(
            { ok: faults.length === 0, faults: faults.map((f) => ({ ...f, exitCode: EXIT_CODES[f.kind] })), byHand },
            null,
            2,
          ),
        );
        process.exitCode = faults[0] ? EXIT_CODES[faults[0].kind] : 0;
      } else if (faults.length > 0) throw problemOf(faults);
      else
        show(
          ['Entities, migrations, snapshot and database agree.', ...byHand.map((id) => `  by hand: ${id}`)].join('\n'),
        );
    },
  },
  'migration:test': {
    describe:
      'Run all migrations, or those from one on, up, down and up again in memory, and compare with the entities',
    positional: '[from]',
    run: async (migrator, { from }) => {
      const result = await testRoundTrips(migrator, from);
      const problem = roundTripProblem(result);
      if (problem) throw problem;
      const tested = result.migrations === 1 ? '1 migration' : `${result.migrations} migrations`;
      show(`${tested} went up, down and up again; the schema matches the entities.`);
      for (const name of result.irreversible) show(`  ${name} is irreversible; only its up was tested.`);
    },
  },
  'migration:lint': {
    describe: 'Lint the migrations without a database',
    options: { rules: { type: 'boolean', desc: 'List the rules instead' } },
    run: async (migrator, options) => {
      if (options.rules) return show(formatRules());
      const findings = lintAll(await migrator.readMigrations());
      const errors = findings.filter(({ severity }) => severity === 'error');
      const warnings = findings.filter(({ severity }) => severity === 'warning');
      if (warnings.length > 0) show(formatLintFindings(warnings));
      if (errors.length > 0) throw lintError(errors);
      if (warnings.length === 0) show('No findings.');
    },
  },
  'migration:plan': {
    describe: 'Show what migration:up or down to a target would run, what it would lock, and how large that is',
    positional: '[target]',
    options: { json: JSON_OPTION },
    examples: [
      ['plan', 'all that is pending'],
      ['plan add_articles_slug', 'up to that one, or down to it where it is applied'],
      ['plan base', 'down to an empty database'],
    ],
    run: async (migrator, { target = 'head', json }) => {
      const plan = await readPlan(migrator, target);
      show(json ? JSON.stringify(plan, null, 2) : formatPlan(plan, target));
    },
  },
  'migration:stamp': {
    describe: 'Record that the database is at a target, without running anything; its schema must fit',
    positional: '[target]',
    options: { json: JSON_OPTION, because: { type: 'string', desc: 'Why a schema that differs is right' } },
    examples: [
      ['stamp head', 'a database that has the schema of all migrations'],
      ['stamp base', 'forget what is recorded; the schema must be empty'],
    ],
    run: async (migrator, { target = 'head', because, json }) => {
      const stamped = await stamp(migrator, target, because);
      show(json ? JSON.stringify(stamped, null, 2) : formatStamped(stamped, target));
    },
  },
  'migration:sql': {
    describe: 'Write the SQL from one migration to another, up or down, for psql',
    positional: '[range]',
    run: async (migrator, { range }) => show(await offlineSql(migrator, range)),
  },
  'migration:repair': {
    describe: 'Show how the tracking table differs from the files, then repair it',
    options: { yes: { type: 'boolean', desc: 'Repair without asking' } },
    run: repair,
  },
};

async function repair(migrator: MigratorParts, { yes }: Options): Promise<void> {
  const repairs = await findRepairs(migrator);
  if (repairs.length === 0) return show('The tracking table and the files agree; there is nothing to repair.');
  for (const { description, difference } of repairs)
    show([description, ...difference.map((line) => `    ${line}`)].join('\n'));
  if (!yes && !(await confirmed())) {
    throw new MigrationProblem('guarded', 'Nothing was changed. To do this: npm run migration repair -- --yes');
  }
  await migrator.withLock(async () => {
    for (const { apply } of repairs) await apply();
  });
  show('Done.');
}

async function confirmed(): Promise<boolean> {
  return isInteractive() && /^y(es)?$/i.test((await prompt('Do this? (y/N) ')) ?? '');
}

function showStatuses(statuses: Status[], options: Options, empty: string): void {
  show(options.json ? JSON.stringify(statuses, null, 2) : statuses.length > 0 ? formatStatuses(statuses) : empty);
}

function show(text: string): void {
  console.log(text);
}
