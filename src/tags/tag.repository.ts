import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { Tag } from './tag.entity.ts';

/**
 * The tags of these names in this order, made where they are new; call it in a transaction. Tags are made, and locked for
 * the count that the trigger keeps, in one order for all: authors who share tags wait for each other, not in a circle.
 */
export async function tagsNamed(em: EntityManager, names: readonly string[]): Promise<Tag[]> {
  if (names.length === 0) return [];
  const rows = names.toSorted().map((name) => ({ name }));
  await em.createQueryBuilder(Tag).insert(rows).onConflict('name').ignore().execute();
  const tags = await em.find(
    Tag,
    { name: { $in: [...names] } },
    { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  return tags.toSorted((left, right) => names.indexOf(left.name) - names.indexOf(right.name));
}

/** Locks the tags of an article for the count in the same order; call it in a transaction before the article goes. */
export async function lockTagsOf(em: EntityManager, article: { id: number }): Promise<void> {
  await em.execute(
    'select from tags where id in (select tag_id from article_tags where article_id = ?) order by id for update',
    [article.id],
  );
}
