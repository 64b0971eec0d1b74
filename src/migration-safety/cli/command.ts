#!/usr/bin/env node
import { CLIHelper, configure } from '@mikro-orm/cli';
import { asProblem, endWith } from '../command-line.ts';
import { formatLintFindings, formatRules, lint } from '../lint/lint.ts';
import { lintError } from '../lint/lint-before-run.ts';
import type { Migrator } from '../migrator.ts';
import { exitCodes, MigrationProblem } from '../problems.ts';
import { migratorOf } from '../start-up.ts';
import { ask, someoneIsThere } from '../terminal.ts';
import { problemOf } from '../verify/check.ts';
import { findRepairs } from '../verify/repair.ts';
import { failedRehearsal, rehearse } from '../verify/round-trip.ts';
import { offlineSql } from './offline-sql.ts';
import { readPlan, tellPlan } from './plan.ts';
import { readHistory, readStatus, type Status, tellStatuses } from './status.ts';

/**
 * Everything `mikro-orm` can do, and what it can not: the commands below, and two options. The stock binary takes no
 * plugins and refuses options it does not know, so this one is built from the same parts.
 */
interface Options {
  contextName: string;
  config?: string[];
  json?: boolean;
  offline?: boolean;
  yes?: boolean;
  range?: string;
  rules?: boolean;
  yesDestroy?: string;
  naive?: boolean;
}

interface Command {
  describe: string;
  positional?: string;
  options?: Record<string, { type: 'boolean' | 'string'; desc: string }>;
  run: (migrator: Migrator, options: Options) => Promise<void>;
}

const json = { type: 'boolean', desc: 'Answer as JSON' } as const;

const commands: Record<string, Command> = {
  'migration:status': {
    describe: 'Show every migration and how it stands with the database',
    options: { json },
    run: async (migrator, options) => showStatuses(await readStatus(migrator), options, 'There are no migrations.'),
  },
  'migration:history': {
    describe: 'Show what was applied: when, by whom, in how long, from which version',
    options: { json },
    run: async (migrator, options) => showStatuses(await readHistory(migrator), options, 'Nothing was applied yet.'),
  },
  'migration:current': {
    describe: 'Show the newest applied migration',
    options: { json },
    run: async (migrator, options) => {
      const newest = (await readHistory(migrator)).at(-1);
      show(options.json ? JSON.stringify(newest ?? null, null, 2) : (newest?.name ?? 'base'));
    },
  },
  'migration:check': {
    describe: 'Compare entities, migrations, snapshot and database; every class of fault has an exit code',
    options: { json, offline: { type: 'boolean', desc: 'Leave the live database out' } },
    run: async (migrator, options) => {
      const faults = await migrator.check({ offline: options.offline ?? false });
      if (options.json) {
        show(
          JSON.stringify(
            { ok: faults.length === 0, faults: faults.map((f) => ({ ...f, exitCode: exitCodes[f.kind] })) },
            null,
            2,
          ),
        );
        process.exitCode = faults[0] ? exitCodes[faults[0].kind] : 0;
      } else if (faults.length > 0) throw problemOf(faults);
      else show('Entities, migrations, snapshot and database agree.');
    },
  },
  'migration:test': {
    describe: 'Run all history up, down and up again on a database in memory, and compare with the entities',
    run: async (migrator) => {
      const rehearsal = await rehearse(migrator);
      const problem = failedRehearsal(rehearsal);
      if (problem) throw problem;
      show(`${rehearsal.migrations} migrations went up, down and up again; the tables are what the entities say.`);
      for (const name of rehearsal.oneWay) show(`  ${name} has no way back; it was tried forwards only.`);
    },
  },
  'migration:lint': {
    describe: 'Lint the migrations without a database',
    options: { rules: { type: 'boolean', desc: 'List the rules instead' } },
    run: async (migrator, options) => {
      if (options.rules) return show(formatRules());
      const findings = (await migrator.readAll()).flatMap((file) => lint(file, file.up));
      const errors = findings.filter(({ severity }) => severity === 'error');
      const warnings = findings.filter(({ severity }) => severity === 'warning');
      if (warnings.length > 0) show(formatLintFindings(warnings));
      if (errors.length > 0) throw lintError(errors);
      if (warnings.length === 0) show('No rule has anything to say.');
    },
  },
  'migration:plan': {
    describe: 'Show what migration:up would run, what it would lock, and how large that is',
    options: { json },
    run: async (migrator, options) => {
      const plan = await readPlan(migrator);
      show(options.json ? JSON.stringify(plan, null, 2) : tellPlan(plan));
    },
  },
  'migration:sql': {
    describe: 'Write the SQL from one migration to another, up or down, for psql',
    positional: '[range]',
    run: async (migrator, { range }) => show(await offlineSql(migrator, range)),
  },
  'migration:repair': {
    describe: 'Show how the tracking table differs from the files, then put it right',
    options: { yes: { type: 'boolean', desc: 'Do it without asking' } },
    run: repair,
  },
};

const argv = await configure();
argv
  .option('yes-destroy', { type: 'string', desc: 'Name the database whose data may be destroyed' })
  .option('naive', { type: 'boolean', desc: 'migration:create: write the stock form, not the safe one' })
  .middleware((args: Options) => {
    // The stock commands hand on only the options they know; the environment reaches the migrator all the same.
    if (args.yesDestroy) process.env.MIGRATION_YES_DESTROY = args.yesDestroy;
    if (args.naive) process.env.MIGRATION_NAIVE = '1';
  }, true);

for (const [name, command] of Object.entries(commands)) {
  argv.command(
    [name, command.positional].filter(Boolean).join(' '),
    command.describe,
    (args: { options: (options: object) => unknown }) => args.options(command.options ?? {}),
    async (args: Options) => perform(command, args),
  );
}
// What was mistyped is told in a line, and no screenful of help pushes it out of sight.
argv.showHelpOnFail(false).fail((mistyped: string | null, error: unknown) => {
  if (!mistyped) endWith(asProblem(error, {}));
  endWith(new MigrationProblem('unforeseen', `${mistyped}\nWhat there is: npm run mikro-orm -- --help`));
});
await argv.parse(process.argv.slice(2));

async function perform(command: Command, options: Options): Promise<void> {
  try {
    const orm = await CLIHelper.getORM(options.contextName, options.config, { pool: { min: 1, max: 2 } });
    const migrator = migratorOf(orm);
    await migrator.forPeople(() => command.run(migrator, options));
    await orm.close(true);
  } catch (error) {
    endWith(asProblem(error, {}));
  }
}

async function repair(migrator: Migrator, { yes }: Options): Promise<void> {
  const repairs = await findRepairs(migrator);
  if (repairs.length === 0) return show('The tracking table and the files agree; there is nothing to repair.');
  for (const { says, difference } of repairs) show([says, ...difference.map((line) => `    ${line}`)].join('\n'));
  if (!yes && !(await confirmed())) {
    throw new MigrationProblem('guarded', 'Nothing was changed. To do this: npm run migration:repair -- --yes');
  }
  await migrator.exclusively(async () => {
    for (const { apply } of repairs) await apply();
  });
  show('Done.');
}

async function confirmed(): Promise<boolean> {
  return someoneIsThere() && /^y(es)?$/i.test((await ask('Do this? (y/N) ')) ?? '');
}

function showStatuses(statuses: Status[], options: Options, empty: string): void {
  show(options.json ? JSON.stringify(statuses, null, 2) : statuses.length > 0 ? tellStatuses(statuses) : empty);
}

function show(text: string): void {
  console.log(text);
}
