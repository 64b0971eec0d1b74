import { MikroORM } from '@mikro-orm/postgresql';
import { ormConfig } from '../mikro-orm.config.ts';
import { openDatabase } from './database/open-database.ts';
import { EnvironmentError, readDatabaseEnvironment } from './environment.ts';
import { applyPendingMigrations, MigrationProblem } from './migration-safety/index.ts';

/** `mikro-orm migration:up` for production, where the CLI is not installed: `node dist/src/migrate.js`. */
async function migrate(): Promise<void> {
  const database = await openDatabase(readDatabaseEnvironment(), 'command');
  // Logs of jobs are read without a terminal.
  const orm = await MikroORM.init({ ...ormConfig(database), colors: process.stdout.isTTY === true });
  try {
    const applied = await applyPendingMigrations(orm);
    console.log(applied.length > 0 ? 'Every migration is applied now.' : 'Every migration was applied already.');
  } finally {
    await orm.close();
    await database.embedded?.close();
  }
}

try {
  await migrate();
} catch (error) {
  const isOperatorError = error instanceof MigrationProblem || error instanceof EnvironmentError;
  console.error(isOperatorError ? error.message : error);
  process.exitCode = error instanceof MigrationProblem ? error.exitCode : 1;
}
