import { type Kysely, sql } from 'kysely';
import { ExitCode, SeedError } from '../seed-error.ts';

/**
 * Runs `act` with the count triggers disabled. A rollback enables them again, and the table locks keep other writers out, so
 * that no row stays uncounted. Only the owner of a table may do this.
 */
export async function withoutCountTriggers<T>(db: Kysely<unknown>, act: () => Promise<T>): Promise<T> {
  for (const table of COUNTED) await sql`alter table ${sql.table(table)} disable trigger user`.execute(db);
  const result = await act();
  for (const table of COUNTED) await sql`alter table ${sql.table(table)} enable trigger user`.execute(db);
  return result;
}

/** Throws if the current role does not own the tables. */
export async function requireOwner(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ role: string; owner: string; mine: boolean }>`
    select current_user as role, pg_get_userbyid(relowner) as owner, pg_has_role(relowner, 'USAGE') as mine
    from pg_class where oid = any (${[...COUNTED]}::regclass[])`.execute(db);
  const foreign = rows.find(({ mine }) => !mine);
  if (foreign) {
    throw new SeedError(
      ExitCode.DATABASE_NOT_READY,
      `The tables are owned by the role "${foreign.owner}", and the seed runs as "${foreign.role}". A large blog is written with ` +
        'the count triggers disabled, which only their owner may do: use that role in DATABASE_URL for the seed.',
    );
  }
}

const COUNTED = ['favorites', 'article_tags', 'comments'] as const;
