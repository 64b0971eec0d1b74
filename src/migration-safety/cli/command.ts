#!/usr/bin/env node
import { CLIHelper, configure } from '@mikro-orm/cli';
import { exitWith, toProblem } from '../command-line.ts';
import { MigrationProblem } from '../problems.ts';
import { migratorOf } from '../start-up.ts';
import { type Command, commands, type Options } from './commands.ts';

// The stock `mikro-orm` command line with more commands and options. The stock binary takes no plugins and refuses unknown
// options, so this one is built from its parts.

/** What yargs gives to configure a command. */
interface Builder {
  options(options: object): unknown;
  positional(name: string, options: object): unknown;
  example(command: string, meaning: string): unknown;
}

const argv = await configure();
argv
  .option('yes-destroy', { type: 'string', desc: 'Name the database whose data may be destroyed' })
  .option('naive', { type: 'boolean', desc: 'migration:create: write plain statements, not online DDL' })
  .option('dry-run', { type: 'boolean', desc: 'migration:create: print what it would write; write nothing' })
  .option('single-transaction', { type: 'boolean', desc: 'migration:up, down: all migrations in one transaction' })
  .middleware((args: Options) => {
    // The stock commands pass on only the options they know, so these reach the migrator by the environment.
    if (args.yesDestroy) process.env.MIGRATION_YES_DESTROY = args.yesDestroy;
    if (args.naive) process.env.MIGRATION_NAIVE = '1';
    if (args.dryRun) process.env.MIGRATION_DRY_RUN = '1';
    if (args.singleTransaction) process.env.MIGRATION_SINGLE_TRANSACTION = '1';
  }, true);

for (const [name, command] of Object.entries(commands)) {
  argv.command(
    [name, command.positional].filter(Boolean).join(' '),
    command.describe,
    (args: Builder) => {
      args.options(command.options ?? {});
      const positional = positionalOf(command);
      if (positional) args.positional(positional, { type: 'string' });
      for (const [example, meaning] of command.examples ?? []) args.example(`npm run migration ${example}`, meaning);
    },
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
await argv.parse(withNamedTarget(await withMigrationPrefix(process.argv.slice(2))));

/** Gives -1 and -2:head the name of the command's positional: bare, they would be read as a number and as options. */
function withNamedTarget([command = '', ...args]: string[]): string[] {
  const positional = positionalOf(commands[command]);
  if (!positional) return [command, ...args].filter(Boolean);
  return [command, ...args.map((arg) => (/^-\d+(:.*)?$/.test(arg) ? `--${positional}=${arg}` : arg))];
}

/** target, of '[target]' */
function positionalOf(command: Command | undefined): string | undefined {
  return command?.positional?.replace(/[[\]<>]/g, '');
}

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
