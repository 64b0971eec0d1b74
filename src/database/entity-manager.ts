import type { TransactionOptions, UnitOfWork } from '@mikro-orm/core';
import { EntityManager } from '@mikro-orm/postgresql';
import { WriteBatch } from './batch/write-batch.ts';

/**
 * Wraps a flush in a transaction only when it takes more than one statement. A single statement is a transaction by itself
 * and saves a round trip. The pending changes decide, not the caller, so a transaction cannot be forgotten.
 */
export class ImplicitTransactionEntityManager extends EntityManager {
  private isFlushing = false;

  override async flush(): Promise<void> {
    // MikroORM would let the second flush wait, and then write everything at once without a transaction.
    if (this.isFlushing) throw new Error('This entity manager is being flushed; await that flush, or use a fork.');
    this.isFlushing = true;
    try {
      const isAtomic = this.isInTransaction() || isOneStatement(this.getUnitOfWork());
      await (isAtomic ? super.flush() : this.flushInTransaction());
    } finally {
      this.isFlushing = false;
    }
  }

  /** A transaction of an entity manager that records its writes is a real one, which waits for the proof. */
  override async transactional<T>(act: (em: this) => T | Promise<T>, options?: TransactionOptions): Promise<T> {
    const batch = this.getTransactionContext() as unknown;
    if (!(batch instanceof WriteBatch)) return super.transactional(act, options);
    const { text, values } = await batch.proof();
    this.resetTransactionContext();
    try {
      return await super.transactional(async (em) => {
        await em.execute(text.replaceAll(/\$\d+/g, '?'), [...values]);
        return act(em);
      }, options);
    } finally {
      this.setTransactionContext(batch as never);
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

/** At most one row. Several rows of one table, or a collection, may take several statements. */
function isOneStatement(work: UnitOfWork): boolean {
  work.computeChangeSets();
  return work.getChangeSets().length <= 1 && work.getCollectionUpdates().length === 0;
}
