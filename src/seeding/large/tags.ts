import { type Kysely, sql } from 'kysely';
import { nameKey } from '../../text/fold-case.ts';
import type { Size } from './size.ts';
import { tagNames } from './words.ts';

/** Adds the missing tags. Tags have no owner, so existing ones are reused. */
export async function addTags(db: Kysely<unknown>, size: Size): Promise<{ tags: number }> {
  const names = tagNames(size.tags);
  const { rows } = await sql`
    insert into tags (name, name_key)
    select * from unnest(${names}::text[], ${names.map(nameKey)}::text[]) on conflict do nothing returning id`.execute(
    db,
  );
  return { tags: rows.length };
}

/** The ids of the tags, the most popular first. */
export async function tagIdsOf(db: Kysely<unknown>, size: Size): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select id from unnest(${tagNames(size.tags)}::text[]) with ordinality as wanted (name, rank)
    join tags using (name) order by rank`.execute(db);
  return rows.map(({ id }) => id);
}
