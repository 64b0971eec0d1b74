import type { ISchemaGenerator, MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { exitWith, runsAsCommand, toProblem } from '../command-line.ts';
import type { MigrationFile } from '../history/migration-file.ts';
import { isEmbedded } from '../lock/choose-lock.ts';
import { MigrationProblem } from '../problems.ts';
import type { Settings } from '../settings.ts';
import { findDataLoss } from '../sql/data-loss.ts';

/** What the commands would do, by the method of the schema generator that they end in. */
const destructive = {
  drop: 'drops every table',
  refresh: 'drops every table and makes them anew',
  update: 'changes the tables directly, past the migrations',
  dropDatabase: 'drops the database',
} satisfies Partial<Record<keyof ISchemaGenerator, string>>;

/**
 * Puts a question in front of migration:fresh and schema:drop|fresh|update. Only in front of the commands: code that
 * calls the schema generator, as tests do, was read by somebody; a line in a terminal is typed from memory.
 */
export function guardSchemaCommands(orm: MikroORM, settings: () => Settings): void {
  if (!runsAsCommand()) return;
  // Made when it is first asked for: extensions are registered before there is an entity manager.
  orm.config.registerExtension('@mikro-orm/schema-generator', () => {
    const generator = orm.driver.getPlatform().getSchemaGenerator(orm.driver, orm.em as never);
    for (const [method, effect] of Object.entries(destructive)) {
      const original = Reflect.get(generator, method) as (...args: unknown[]) => unknown;
      Reflect.set(generator, method, async (...args: unknown[]) => {
        try {
          refuseUnlessDisposable(orm.driver as AbstractSqlDriver, settings(), effect);
        } catch (error) {
          exitWith(toProblem(error, {}));
        }
        return original.apply(generator, args);
      });
    }
    return generator;
  });
}

/** A `down` that drops a table or a column with data in it needs the same permission, told what would be lost. */
export async function refuseDataLoss(chosen: MigrationFile[], driver: AbstractSqlDriver, settings: Settings) {
  if (isPermitted(driver, settings)) return;
  const losses = (
    await Promise.all(
      chosen.map((migration) => findDataLoss(migration.down, (sql) => driver.getConnection().execute(sql))),
    )
  ).flat();
  if (losses.length === 0) return;
  refuseUnlessDisposable(
    driver,
    settings,
    `would lose data for good:\n${losses.map((loss) => `    ${loss}`).join('\n')}\n `,
  );
}

/** `migration:rollup` merges the files that one database has, and rewrites the history of that database alone. */
export function refuseRollup(): never {
  throw new MigrationProblem(
    'guarded',
    [
      'migration:rollup can only be right for one database, so it does nothing here. Nothing was changed.',
      'It merges the applied files into one and rewrites the history of this database alone: every other one that has',
      'them would be asked to make their tables again. Imports, and what runs outside a transaction, are lost on the way.',
      'A long history costs little: npm run migration test replays it in seconds.',
    ].join('\n'),
  );
}

function refuseUnlessDisposable(driver: AbstractSqlDriver, settings: Settings, effect: string): void {
  if (isPermitted(driver, settings)) return;
  const name = databaseName(driver);
  throw new MigrationProblem(
    'guarded',
    [
      `This ${effect} of the database "${name}", which nobody has called disposable. Nothing was changed.`,
      ...(settings.yesDestroy
        ? [`(MIGRATION_YES_DESTROY names "${settings.yesDestroy}", and this is "${name}".)`]
        : []),
      'If that is what you want, name the database once more:',
      `  MIGRATION_YES_DESTROY=${name} npx mikro-orm …    or    npm run mikro-orm -- … --yes-destroy ${name}`,
      `For databases that come and go, such as those of tests: DISPOSABLE_DATABASES=${name},other_* in the environment.`,
    ].join('\n'),
  );
}

function isPermitted(driver: AbstractSqlDriver, settings: Settings): boolean {
  if (isEmbedded(driver, settings)) return true;
  const name = databaseName(driver);
  return settings.yesDestroy === name || settings.disposable.some((pattern) => matches(pattern, name));
}

const databaseName = (driver: AbstractSqlDriver) => String(driver.config.get('dbName'));

/** Names, with a trailing * for a family of them. */
const matches = (pattern: string, name: string) =>
  pattern.endsWith('*') && pattern.length > 1 ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
