import type { MikroORM } from '@mikro-orm/postgresql';

/** Applies what is pending. Answers the names of what it applied. */
export async function applyMigrations(orm: MikroORM): Promise<string[]> {
  const applied = await orm.migrator.up();
  return applied.map(({ name }) => name);
}

/** The names of the migrations that the database has yet to get. */
export async function pendingMigrations(orm: MikroORM): Promise<string[]> {
  const pending = await orm.migrator.getPending();
  return pending.map(({ name }) => name);
}
