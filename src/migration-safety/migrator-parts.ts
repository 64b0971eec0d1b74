import type { Configuration, IMigrationGenerator, MigrationsOptions, MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { MigrationFile } from './history/migration-file.ts';
import type { HistoryRow, HistoryStorage } from './history/migration-storage.ts';
import type { MigrationLock } from './lock/lock.ts';
import type { Settings } from './settings.ts';

/**
 * What the commands use of the migrator. An interface, because the migrator imports the commands; they can't import it
 * in turn.
 */
export interface MigratorParts {
  readonly driver: AbstractSqlDriver;
  readonly config: Configuration;
  readonly options: MigrationsOptions;
  readonly generator: IMigrationGenerator;
  readonly storage: HistoryStorage;
  readonly settings: Settings;

  /** The migrator as an ORM extension, for an ORM that replays the same history. */
  readonly extension: { register(orm: MikroORM): void };

  readonly log: (text: string) => void;

  /** Called after each migration that a run applies or reverts. */
  readonly onProgress?: ((step: MigrationStep) => void) | undefined;

  /** All migration files, read without a database. */
  readMigrations(): Promise<MigrationFile[]>;

  /** The rows of the tracking table, or undefined if there is no table yet. Creates nothing. */
  history(schema?: string): Promise<HistoryRow[] | undefined>;

  /** Throws where there is no database yet: migration:up creates it, and what needs one with a history must not. */
  assertDatabaseExists(): Promise<void>;

  /** Runs the work under the migration lock, with the database and the tracking table in place. */
  withLock<T>(work: (lock: MigrationLock) => Promise<T>): Promise<T>;
}

/** Which migration of a run is done. */
export interface MigrationStep {
  readonly name: string;
  readonly number: number;
  readonly of: number;
}
