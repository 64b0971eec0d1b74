import { readFileSync } from 'node:fs';
import type { MigrationsOptions } from '@mikro-orm/core';
import { exitWith, runsAsCommand } from './command-line.ts';
import { Migrator } from './migrator.ts';
import { MigrationProblem } from './problems.ts';
import type { SafetyOptions } from './settings.ts';

export { reportConfigErrors } from './command-line.ts';
export { renamedFrom } from './create/renames.ts';
export { MigrationProblem } from './problems.ts';
export { applyPendingMigrations, pendingMigrations } from './start-up.ts';
export { Migrator };

/** The stock options, less those that would take the safety away again, and what is ours under `safety`. */
export type SafeMigrationsOptions = Omit<MigrationsOptions, 'allOrNothing' | 'transactional'> & {
  safety?: SafetyOptions;
};

/**
 * The whole plug, to be spread into the configuration, after the connection it may have to replace:
 *
 *     export default defineConfig({ clientUrl, entities, ...safeMigrations({ path: 'dist/migrations', pathTs: 'migrations' }) });
 */
export function safeMigrations({ safety, ...stock }: SafeMigrationsOptions = {}) {
  const direct = runsAsCommand() ? directUrl() : undefined;
  const migrations = {
    // One name for every database, or each developer's would be a snapshot of its own.
    snapshotName: '.snapshot',
    // The snapshot is written by migration:create and by nothing else; applying must not churn it.
    snapshotOnMigrate: false,
    ...stock,
    // One transaction a migration: with one for all, a statement outside it waits for it for ever.
    allOrNothing: false,
    safety: { appVersion: packageVersion(), ...safety },
  };
  return {
    migrations: migrations as MigrationsOptions & { safety: SafetyOptions },
    extensions: [Migrator],
    // Creating the database is migration:up's, under the lock; otherwise whoever connects first would, to look.
    ensureDatabase: false,
    ...(direct && { clientUrl: direct }),
  };
}

function directUrl(): string | undefined {
  const url = process.env.MIGRATION_DATABASE_URL;
  if (!url || (URL.canParse(url) && new URL(url).pathname.length > 1)) return url || undefined;
  // Without the value, which may hold a password.
  const wish = 'MIGRATION_DATABASE_URL must be a URL such as postgresql://user:password@localhost:5432/conduit';
  return exitWith(new MigrationProblem('bad-setting', wish));
}

function packageVersion(): string | undefined {
  try {
    return (JSON.parse(readFileSync('package.json', 'utf8')) as { version?: string }).version;
  } catch {
    return undefined;
  }
}
