import { type MikroORM, MikroORM as ORM } from '@mikro-orm/core';
import { formatIntegrityFindings } from './history/integrity.ts';
import { Migrator } from './migrator.ts';

/**
 * Applies what is pending, once however many processes ask (MIGRATE_ON_START=up): one SELECT and no lock when there
 * is nothing to do. Answers with the names that this process applied. Throws a MigrationProblem.
 */
export async function applyPendingMigrations(orm: MikroORM): Promise<string[]> {
  const direct = process.env.MIGRATION_DATABASE_URL;
  if (!direct || direct === orm.config.get('clientUrl')) return namesOf(await migratorOf(orm).up());
  // A pooler stands between the server and the database, where neither the lock nor the timeouts would hold.
  const { dbName, host, port, user, password, entities, entitiesTs, ...rest } = orm.config.getAll();
  const own = await ORM.init({
    ...rest,
    clientUrl: direct,
    entities: [],
    discovery: { warnWhenNoEntities: false },
  } as never);
  try {
    return namesOf(await migratorOf(own).up());
  } finally {
    await own.close(true);
  }
}

/**
 * Why the database is not ready for this code (MIGRATE_ON_START=check): a sentence for each pending migration and
 * each way in which history can't be trusted; empty when it is ready. One SELECT, and nothing is created.
 */
export async function pendingMigrations(orm: MikroORM): Promise<string[]> {
  const migrator = migratorOf(orm);
  const findings = (await migrator.integrity()).filter(({ kind }) => kind !== 'unknown' && kind !== 'out-of-order');
  const pending = await migrator.getPending();
  return [
    ...pending.map(({ name }) => `${name} is pending.`),
    ...findings.map((finding) => formatIntegrityFindings([finding])),
  ];
}

/** The plugged-in migrator, which has to be ours: MikroORM silently puts the stock one in the place of another name. */
export function migratorOf(orm: MikroORM): Migrator {
  const migrator = orm.config.getExtension('@mikro-orm/migrator');
  if (migrator instanceof Migrator) return migrator;
  throw new Error('The safe migrator is not plugged in: spread safeMigrations(…) into the ORM configuration.');
}

const namesOf = (infos: { name: string }[]) => infos.map(({ name }) => name);
