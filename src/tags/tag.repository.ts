import type { EntityManager } from '@mikro-orm/postgresql';
import { isStorable } from '../database/storable.ts';
import { type Sql, sql } from '../reading/sql.ts';
import { nameKey } from '../text/fold-case.ts';
import { toNfc } from '../text/to-nfc.ts';
import { Tag } from './tag.entity.ts';
import { TAG_LIMITS } from './tag.limits.ts';

/** The name as tags are stored. */
export const tagName = (typed: string): string => toNfc(typed, TAG_LIMITS.name);

/** The ids of the tags of these names as an array, the rarest first; null unless there is a tag of each name. */
export function tagIds(typed: readonly string[]): Sql {
  const names = [...new Set(typed.map(tagName))];
  if (!names.every(isStorable)) return sql`null::int[]`;
  return sql`(select array_agg(id order by articles_count, id) from tags where name = any(${names})
    having count(*) = ${names.length}::int)`;
}

const UPSERT = `insert into tags (name, name_key)
  select name, name_key from json_to_recordset(?) as tag (name text, name_key text) order by name
  on conflict (name) do update set name_key = excluded.name_key`;

const rowsOf = (names: readonly string[]) => JSON.stringify(names.map((name) => ({ name, name_key: nameKey(name) })));

/** Inserts the tags of these names that are new, and locks all as `upsertTags` does. */
export async function insertTags(em: EntityManager, names: readonly string[]): Promise<void> {
  if (names.length > 0) await em.execute(UPSERT, [rowsOf(names)], 'run');
}

/** Gives a new article these tags, in this order. Call it after `insertTags`. */
export async function linkTags(em: EntityManager, article: { id: number }, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await em.execute(
    `insert into article_tags (article_id, tag_id) select ?, tags.id
     from json_array_elements_text(?) with ordinality as listed (name, place) join tags using (name) order by place`,
    [article.id, JSON.stringify(names)],
    'run',
  );
}

/**
 * The tags of these names, in this order; new ones are inserted. Call it in a transaction. The update of an existing name locks
 * its tag for the trigger that counts articles. All transactions lock in the order of the names, so none deadlock.
 */
export async function upsertTags(em: EntityManager, names: readonly string[]): Promise<Tag[]> {
  if (names.length === 0) return [];
  const rows = await em.execute<{ id: number; name: string }[]>(`${UPSERT} returning id, name`, [rowsOf(names)]);
  const ids = new Map(rows.map(({ name, id }) => [name, id]));
  return names.map((name) => em.getReference(Tag, ids.get(name) as number));
}

/** Locks the tags of an article in that same order; call it in the transaction that deletes the article, before it does. */
export async function lockTagsOfArticle(em: EntityManager, article: { id: number }): Promise<void> {
  await em.execute(
    'select from tags where id in (select tag_id from article_tags where article_id = ?) order by name for update',
    [article.id],
  );
}
