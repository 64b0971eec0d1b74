import type { EntityManager } from '@mikro-orm/postgresql';
import { Tag } from './tag.entity.ts';

/**
 * The tags of these names in this order, made where they are new; call it in a transaction. Writing a name again locks its tag
 * for the count that the trigger keeps, in one order for all: authors who share tags wait for each other, not in a circle.
 */
export async function upsertTags(em: EntityManager, names: readonly string[]): Promise<Tag[]> {
  if (names.length === 0) return [];
  const rows = await em.execute<{ id: number; name: string }[]>(
    `insert into tags (name) select name from json_array_elements_text(?) as name order by name
     on conflict (name) do update set name = excluded.name returning id, name`,
    [JSON.stringify(names)],
  );
  const ids = new Map(rows.map(({ name, id }) => [name, id]));
  return names.map((name) => em.getReference(Tag, ids.get(name) as number));
}

/** Locks the tags of an article for the count in the same order; call it in a transaction before the article goes. */
export async function lockTagsOfArticle(em: EntityManager, article: { id: number }): Promise<void> {
  await em.execute(
    'select from tags where id in (select tag_id from article_tags where article_id = ?) order by name for update',
    [article.id],
  );
}
