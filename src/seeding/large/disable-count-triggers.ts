import { type Kysely, sql } from 'kysely';
import { ExitCode, Stop } from '../seed-error.ts';

/**
 * Acts while the triggers that count are off. That is undone with the transaction, and meanwhile nobody else can write to
 * these tables, so nothing goes uncounted. Only the owner of a table may do it.
 */
export async function withoutCounting<T>(db: Kysely<unknown>, act: () => Promise<T>): Promise<T> {
  for (const table of COUNTED) await sql`alter table ${sql.table(table)} disable trigger user`.execute(db);
  const result = await act();
  for (const table of COUNTED) await sql`alter table ${sql.table(table)} enable trigger user`.execute(db);
  return result;
}

/** Stops when the role that the seed runs as may not. */
export async function requireOwner(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ role: string; owner: string; mine: boolean }>`
    select current_user as role, pg_get_userbyid(relowner) as owner, pg_has_role(relowner, 'USAGE') as mine
    from pg_class where oid = any (${[...COUNTED]}::regclass[])`.execute(db);
  const foreign = rows.find(({ mine }) => !mine);
  if (foreign) {
    throw new Stop(
      ExitCode.DATABASE_NOT_READY,
      `The tables belong to the role "${foreign.owner}", and this is "${foreign.role}". A large blog is written with the ` +
        'counting triggers off, which only their owner may do: put that role into DATABASE_URL for the seed.',
    );
  }
}

const COUNTED = ['favorites', 'article_tags', 'comments'] as const;
