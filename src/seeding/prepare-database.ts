import type { MikroORM } from '@mikro-orm/postgresql';
import type { DatabaseEnvironment } from '../environment.ts';
import { applyPendingMigrations, pendingMigrations } from '../migration-safety/index.ts';
import { ExitCode, SeedError } from './seed-error.ts';

/** Throws unless the database may be seeded. A new embedded database is migrated first, as when the server starts. */
export async function prepareDatabase(
  orm: MikroORM,
  { production, postgres }: DatabaseEnvironment,
  print: (text: string) => void,
): Promise<void> {
  if (production) {
    throw new SeedError(
      ExitCode.DATABASE_NOT_READY,
      'NODE_ENV is "production"; the seed creates accounts with a well-known password. ' +
        'To seed this database anyway: NODE_ENV=development npm run seed',
    );
  }
  const isNew = (await orm.migrator.getExecuted()).length === 0;
  if (postgres === null && isNew) {
    await applyPendingMigrations(orm, ({ name, number, of }) =>
      print(`The embedded database is new: applied ${name} (${number} of ${of})`),
    );
  }
  const pending = await pendingMigrations(orm);
  if (pending.length > 0) {
    const message = `The database has pending migrations: ${pending.join(', ')}. Apply them first: npx mikro-orm migration:up`;
    throw new SeedError(ExitCode.DATABASE_NOT_READY, message);
  }
}
