#!/usr/bin/env node
import { CLIHelper, configure } from '@mikro-orm/cli';
import { exitWith, toProblem } from '../command-line.ts';
import { formatLintFindings, formatRules, lintAll } from '../lint/lint.ts';
import { lintError } from '../lint/lint-before-run.ts';
import type { MigratorParts } from '../migrator-parts.ts';
import { EXIT_CODES, MigrationProblem } from '../problems.ts';
import { migratorOf } from '../start-up.ts';
import { isInteractive, prompt } from '../terminal.ts';
import { checkMigrations, problemOf } from '../verify/check.ts';
import { findRepairs } from '../verify/repair.ts';
import { roundTripProblem, testRoundTrips } from '../verify/test-history.ts';
import { offlineSql } from './offline-sql.ts';
import { formatPlan, readPlan } from './plan.ts';
import { formatStatuses, readHistory, readStatus, type Status } from './status.ts';

/**
 * The stock `mikro-orm` command line with more commands and two more options. The stock binary takes no plugins and
 * refuses unknown options, so this one is built from its parts.
 */
interface Options {
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
}

interface Command {
  describe: string;
  positional?: string;
  options?: Record<string, { type: 'boolean' | 'string'; desc: string }>;
  run: (migrator: MigratorParts, options: Options) => Promise<void>;
}

const JSON_OPTION = { type: 'boolean', desc: 'Print JSON' } as const;

const commands: Record<string, Command> = {
  'migration:status': {
    describe: 'Show every migration and its state in the database',
    options: { json: JSON_OPTION },
    run: async (migrator, options) => showStatuses(await readStatus(migrator), options, 'There are no migrations.'),
  },
  'migration:history': {
    describe: 'Show what was applied: when, by whom, in how long, from which version',
    options: { json: JSON_OPTION },
    run: async (migrator, options) => showStatuses(await readHistory(migrator), options, 'Nothing was applied yet.'),
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
    describe: 'Show what migration:up would run, what it would lock, and how large that is',
    options: { json: JSON_OPTION },
    run: async (migrator, options) => {
      const plan = await readPlan(migrator);
      show(options.json ? JSON.stringify(plan, null, 2) : formatPlan(plan));
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

const argv = await configure();
argv
  .option('yes-destroy', { type: 'string', desc: 'Name the database whose data may be destroyed' })
  .option('naive', { type: 'boolean', desc: 'migration:create: write plain statements, not online DDL' })
  .middleware((args: Options) => {
    // The stock commands pass on only the options they know, so these two reach the migrator by the environment.
    if (args.yesDestroy) process.env.MIGRATION_YES_DESTROY = args.yesDestroy;
    if (args.naive) process.env.MIGRATION_NAIVE = '1';
  }, true);

for (const [name, command] of Object.entries(commands)) {
  argv.command(
    [name, command.positional].filter(Boolean).join(' '),
    command.describe,
    (args: { options: (options: object) => unknown }) => args.options(command.options ?? {}),
    async (args: Options) => runCommand(command, args),
  );
}
// A usage error is one line, without the help that would push it out of sight.
argv.showHelpOnFail(false).fail((usageError: string | null, error: unknown) => {
  if (error && !usageError) exitWith(toProblem(error, {}));
  exitWith(
    new MigrationProblem(
      'unforeseen',
      `${usageError || 'No command was given.'}\nAll commands: npm run mikro-orm -- --help`,
    ),
  );
});
await argv.parse(await withMigrationPrefix(process.argv.slice(2)));

/** `npm run migration check` runs `migration:check`. */
async function withMigrationPrefix(args: string[]): Promise<string[]> {
  const [group, word, ...rest] = args.filter((arg) => arg !== '--'); // npm passes a second -- on
  if (group !== 'migration') return args;
  if (word?.startsWith('-')) return [word, ...rest];
  const help = await argv.wrap(null).getHelp();
  const known = new Map(
    [...help.matchAll(/^ *mikro-orm migration:(\S+)(?: \S+)? +(.*)$/gm)].map(([, name = '', describe]) => [
      name,
      describe,
    ]),
  );
  if (word && known.has(word)) return [`migration:${word}`, ...rest];
  const problem = word ? `There is no command "${word}".` : 'Usage: npm run migration <command> [-- options]';
  const list = [...known].map(([name, describe]) => `  ${name.padEnd(9)} ${describe}`);
  return exitWith(new MigrationProblem('unforeseen', [problem, ...list].join('\n')));
}

async function runCommand(command: Command, options: Options): Promise<void> {
  try {
    const orm = await CLIHelper.getORM(options.contextName, options.config, { pool: { min: 1, max: 2 } });
    const migrator = migratorOf(orm);
    await migrator.reportErrors(() => command.run(migrator, options));
    await orm.close(true);
  } catch (error) {
    exitWith(toProblem(error, {}));
  }
}

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
