import type { ISchemaGenerator, MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import { exitWith, runsAsCommand, toProblem } from '../command-line.ts';
import { isEmbedded } from '../lock/choose-lock.ts';
import { MigrationProblem } from '../problems.ts';
import type { Settings } from '../settings.ts';

/**
 * Makes migration:fresh and schema:drop|fresh|update require permission. Only as commands, which are typed from memory;
 * code that calls the schema generator, such as tests, is reviewed.
 */
export function guardSchemaCommands(orm: MikroORM, settings: () => Settings): void {
  if (!runsAsCommand()) return;
  // Created at first use: extensions are registered before there is an entity manager.
  orm.config.registerExtension('@mikro-orm/schema-generator', () => {
    const generator = orm.driver.getPlatform().getSchemaGenerator(orm.driver, orm.em as never);
    for (const [method, effect] of Object.entries(DESTRUCTIVE)) {
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

/** `migration:rollup` merges the migrations that one database has applied, and rewrites the history of that database only. */
export function refuseRollup(): never {
  throw new MigrationProblem(
    'guarded',
    [
      'migration:rollup is only correct for a single database, so it is disabled. Nothing was changed.',
      'It merges the applied files into one and rewrites the history of this database alone. Every other database that',
      'has them applied would create the same tables again. Imports and statements outside a transaction get lost.',
      'A long history costs little: migration:create replays only what is new in it.',
    ].join('\n'),
  );
}

/** Throws if the database is not declared disposable. */
export function refuseUnlessDisposable(driver: AbstractSqlDriver, settings: Settings, effect: string): void {
  if (isPermitted(driver, settings)) return;
  const name = databaseName(driver);
  throw new MigrationProblem(
    'guarded',
    [
      `This ${effect} of the database "${name}", which is not declared disposable. Nothing was changed.`,
      ...(settings.yesDestroy
        ? [`(MIGRATION_YES_DESTROY names "${settings.yesDestroy}", and this is "${name}".)`]
        : []),
      'To do it anyway, name the database:',
      `  MIGRATION_YES_DESTROY=${name} npx mikro-orm …    or    npm run mikro-orm -- … --yes-destroy ${name}`,
      `For throwaway databases, such as those of tests, set DISPOSABLE_DATABASES=${name},other_* in the environment.`,
    ].join('\n'),
  );
}

/** Whether the data of this database may be lost: it is embedded, or declared disposable. */
export function isPermitted(driver: AbstractSqlDriver, settings: Settings): boolean {
  if (isEmbedded(driver, settings)) return true;
  const name = databaseName(driver);
  return settings.yesDestroy === name || settings.disposable.some((pattern) => matches(pattern, name));
}

const databaseName = (driver: AbstractSqlDriver) => String(driver.config.get('dbName'));

/** A pattern is a name, or a prefix with a trailing *. */
const matches = (pattern: string, name: string) =>
  pattern.endsWith('*') && pattern.length > 1 ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

/** The effect of each destructive method of the schema generator. */
const DESTRUCTIVE = {
  drop: 'drops every table',
  refresh: 'drops and recreates every table',
  update: 'changes the tables directly, bypassing the migrations',
  dropDatabase: 'drops the database',
} satisfies Partial<Record<keyof ISchemaGenerator, string>>;
