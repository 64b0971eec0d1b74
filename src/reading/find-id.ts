import type { EntityClass } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { ReadBatch } from './read-batch.ts';
import { pick, type ReadContext, type Where } from './read-plan.ts';
import { RowConditions } from './row-conditions.ts';

/**
 * The id of the row that matches, if the viewer may see it; its entity is not loaded. Do not call it in a transaction: it takes a
 * second connection, and transactions that all wait for one would deadlock.
 */
export async function findId<E extends { id: number }>(
  { em, reads, viewer }: { readonly em: EntityManager; readonly reads: ReadBatch } & Pick<ReadContext, 'viewer'>,
  entity: EntityClass<E>,
  where: Where<E>,
): Promise<number | null> {
  const rows = new RowConditions(em.getMetadata(), viewer);
  const id = await reads.value(rows.pick(pick(entity, 'id' as never, where)));
  return id === null ? null : Number(id);
}
