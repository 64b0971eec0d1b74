import type { UnitOfWork } from '@mikro-orm/core';
import { EntityManager } from '@mikro-orm/postgresql';

/**
 * Begins a transaction only for what takes more than one statement; one is a transaction by itself, and a round trip
 * cheaper. What there is to flush decides, not whoever calls it, so nobody can forget to begin one.
 */
export class ImplicitTransactionEntityManager extends EntityManager {
  private isFlushing = false;

  override async flush(): Promise<void> {
    // MikroORM would let the second wait, and then write all of it at once without a transaction.
    if (this.isFlushing)
      throw new Error('This entity manager is being flushed; wait for that, or fork one of your own.');
    this.isFlushing = true;
    try {
      const isWhole = this.isInTransaction() || isOneStatement(this.getUnitOfWork());
      await (isWhole ? super.flush() : this.flushInTransaction());
    } finally {
      this.isFlushing = false;
    }
  }

  private async flushInTransaction(): Promise<void> {
    await this.getConnection('write').transactional(async (transaction) => {
      this.setTransactionContext(transaction);
      try {
        await super.flush();
      } finally {
        this.resetTransactionContext();
      }
    });
  }
}

/** One row of one table; a flush of many rows of a table may come in several statements, and so may their collections. */
function isOneStatement(work: UnitOfWork): boolean {
  work.computeChangeSets();
  return work.getChangeSets().length <= 1 && work.getCollectionUpdates().length === 0;
}
