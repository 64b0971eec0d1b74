import { readFileSync } from 'node:fs';
import type { MigrationsOptions } from '@mikro-orm/core';
import { exitWith, runsAsCommand } from './command-line.ts';
import { Migrator } from './migrator.ts';
import { MigrationProblem } from './problems.ts';
import type { ConnectionTo, SafetyOptions } from './settings.ts';

export { reportConfigErrors } from './command-line.ts';
export { MigrationProblem } from './problems.ts';
export { renamedFrom } from './renames/renames.ts';
export { applyPendingMigrations, checkEncoding, pendingMigrations } from './start-up.ts';
export { Migrator };

/** MikroORM's options without those that would undo the safety, and the safe migrator's own under `safety`. */
export type SafeMigrationsOptions = Omit<MigrationsOptions, 'allOrNothing' | 'transactional'> & {
  safety?: SafetyOptions;
};

/**
 * Plugs the safe migrator into an ORM configuration. Spread it after the connection, which it may replace:
 *
 *     export default defineConfig({ clientUrl, entities, ...safeMigrations({ path: 'dist/migrations', pathTs: 'migrations' }) });
 */
export function safeMigrations({ safety, ...stock }: SafeMigrationsOptions = {}) {
  const direct = runsAsCommand() ? directConnection(safety) : {};
  const migrations = {
    // By default MikroORM names the snapshot after the database, so each developer would get another one.
    snapshotName: '.snapshot',
    // Only migration:create writes the snapshot; applying must not change it.
    snapshotOnMigrate: false,
    ...stock,
    // One transaction per migration. With one for all, a statement outside it would wait for it forever.
    allOrNothing: false,
    safety: { appVersion: packageVersion(), ...safety },
  };
  return {
    migrations: migrations as MigrationsOptions & { safety: SafetyOptions },
    extensions: [Migrator],
    // migration:up creates the database, under the lock. With this on, every command that connects would create it.
    ensureDatabase: false,
    ...direct,
  };
}

/** The connection of MIGRATION_DATABASE_URL, if it is set. */
function directConnection({ connectionOf = (clientUrl) => ({ clientUrl }) }: SafetyOptions = {}): ConnectionTo {
  const url = process.env.MIGRATION_DATABASE_URL;
  if (!url) return {};
  try {
    if (!URL.canParse(url) || new URL(url).pathname.length <= 1) throw new Error(URL_SHAPE);
    return connectionOf(url);
  } catch (error) {
    // The message leaves out the value, which may hold a password.
    return exitWith(new MigrationProblem('bad-setting', `MIGRATION_DATABASE_URL ${(error as Error).message}`));
  }
}

const URL_SHAPE = 'must be a URL such as postgresql://user:password@localhost:5432/conduit';

function packageVersion(): string | undefined {
  try {
    return (JSON.parse(readFileSync('package.json', 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
}
