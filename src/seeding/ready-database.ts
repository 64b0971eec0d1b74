import type { MikroORM } from '@mikro-orm/postgresql';
import type { DatabaseEnvironment } from '../environment.ts';
import { applyPendingMigrations, pendingMigrations } from '../migration-safety/index.ts';
import { ExitCode, Stop } from './seed-error.ts';

/** Stops unless this is a database to seed. An embedded one that is new gets its tables, as the start of the server would. */
export async function readyDatabase(
  orm: MikroORM,
  { production, databaseUrl }: DatabaseEnvironment,
  say: (text: string) => void,
): Promise<void> {
  if (production) {
    throw new Stop(
      ExitCode.DATABASE_NOT_READY,
      'NODE_ENV is "production"; the seed makes accounts whose password everybody knows. ' +
        'If this database is for trials all the same: NODE_ENV=development npm run seed',
    );
  }
  const isNew = (await orm.migrator.getExecuted()).length === 0;
  if (databaseUrl === null && isNew) {
    for (const name of await applyPendingMigrations(orm)) say(`The embedded database is new: applied ${name}`);
  }
  const pending = await pendingMigrations(orm);
  if (pending.length > 0) {
    const message = `The database has pending migrations: ${pending.join(', ')}. Apply them first: npx mikro-orm migration:up`;
    throw new Stop(ExitCode.DATABASE_NOT_READY, message);
  }
}
