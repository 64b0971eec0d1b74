import { type MikroORM, MikroORM as ORM } from '@mikro-orm/core';
import { bindEntities } from './apply/past-entities.ts';
import { checkIntegrity, formatIntegrityFindings } from './history/integrity.ts';
import { Migrator } from './migrator.ts';
import type { MigrationStep } from './migrator-parts.ts';
import { connectionOfSetting } from './settings.ts';
import { assertUtf8 } from './verify/encoding.ts';

/**
 * Applies the pending migrations (MIGRATE_ON_START=up), once even if many processes start together; with nothing
 * pending it is one SELECT and no lock. Calls back after each, so that a log says how far it is. Returns the names that this process
 * applied, or throws a MigrationProblem.
 */
export async function applyPendingMigrations(
  orm: MikroORM,
  onProgress?: (step: MigrationStep) => void,
): Promise<string[]> {
  const apply = async (on: MikroORM) => {
    const migrator = migratorOf(on);
    migrator.onProgress = onProgress;
    return namesOf(await migrator.up());
  };
  const direct = process.env.MIGRATION_DATABASE_URL;
  if (!direct) return apply(orm);
  // DATABASE_URL leads to a pooler, through which neither session locks nor timeouts hold.
  const connection = connectionOfSetting('MIGRATION_DATABASE_URL', direct, migratorOf(orm).settings.connectionOf);
  const { clientUrl, dbName, host, port, user, password, driverOptions, ...rest } = orm.config.getAll();
  const own = await ORM.init({ ...rest, ...connection } as never);
  try {
    return await apply(own);
  } finally {
    await own.close(true);
    bindEntities(orm.driver as never);
  }
}

/** Throws a MigrationProblem if the database cannot hold every text. */
export const checkEncoding = (orm: MikroORM): Promise<void> => assertUtf8(orm.driver as never);

/**
 * Why the database is not ready for this code (MIGRATE_ON_START=check): a sentence for each pending migration and each
 * integrity error of the history; empty if it is ready. Creates nothing.
 */
export async function pendingMigrations(orm: MikroORM): Promise<string[]> {
  const migrator = migratorOf(orm);
  const findings = checkIntegrity(await migrator.readMigrations(), (await migrator.history()) ?? []);
  const serious = findings.filter(({ kind }) => kind !== 'unknown' && kind !== 'out-of-order');
  const pending = await migrator.getPending();
  return [
    ...pending.map(({ name }) => `${name} is pending.`),
    ...serious.map((finding) => formatIntegrityFindings([finding])),
  ];
}

/** The ORM's migrator. Checked, because without safeMigrations(…) MikroORM silently uses its own. */
export function migratorOf(orm: MikroORM): Migrator {
  const migrator = orm.config.getExtension('@mikro-orm/migrator');
  if (migrator instanceof Migrator) return migrator;
  throw new Error('The safe migrator is not plugged in: spread safeMigrations(…) into the ORM configuration.');
}

const namesOf = (infos: { name: string }[]) => infos.map(({ name }) => name);
