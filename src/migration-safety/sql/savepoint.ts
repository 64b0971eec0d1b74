import type { Execute } from './execute.ts';

/** What an error of PostgreSQL says, on either driver. */
export interface DatabaseError extends Error {
  code?: string;
  detail?: string;
  /** The functions that were running, innermost first. */
  where?: string;
}

/** Runs the work in the caller's transaction if there is one, in a transaction of its own otherwise. */
export async function inTransaction<T>(execute: Execute, work: () => Promise<T>): Promise<T> {
  const { commit, rollback } = await begin(execute);
  try {
    const result = await work();
    await execute(commit);
    return result;
  } catch (error) {
    await execute(rollback);
    throw error;
  }
}

/** Runs the work and undoes its changes, in the caller's transaction or in one of its own. */
export async function rolledBack<T>(execute: Execute, work: () => Promise<T>): Promise<T> {
  const { rollback } = await begin(execute);
  try {
    return await work();
  } finally {
    await execute(rollback);
  }
}

/** Runs the work inside a transaction; if the database refuses it, its changes are undone and the error is returned. */
export async function attempt(execute: Execute, work: () => Promise<unknown>): Promise<DatabaseError | undefined> {
  await execute('savepoint attempt');
  try {
    await work();
    await execute('release savepoint attempt');
    return undefined;
  } catch (error) {
    await execute('rollback to savepoint attempt');
    await execute('release savepoint attempt');
    return error as DatabaseError;
  }
}

/** Runs works one after the other inside a transaction, and undoes each: one statement does it for all of them. */
export async function undoing(
  execute: Execute,
  run: (attempt: (work: () => Promise<unknown>) => Promise<DatabaseError | undefined>) => Promise<void>,
): Promise<void> {
  await execute('savepoint undoing');
  await run(async (work) => {
    const error = await work().then(
      () => undefined,
      (error: DatabaseError) => error,
    );
    await execute('rollback to savepoint undoing');
    return error;
  });
  await execute('release savepoint undoing');
}

/** Outside a transaction, PostgreSQL refuses a savepoint. */
async function begin(execute: Execute): Promise<{ commit: string; rollback: string }> {
  try {
    await execute('savepoint in_transaction');
    return { commit: 'release savepoint in_transaction', rollback: 'rollback to savepoint in_transaction' };
  } catch {
    await execute('begin');
    return { commit: 'commit', rollback: 'rollback' };
  }
}
