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
  const own = await execute('savepoint in_transaction').then(
    () => false,
    () => true,
  );
  if (own) await execute('begin');
  try {
    const result = await work();
    await execute(own ? 'commit' : 'release savepoint in_transaction');
    return result;
  } catch (error) {
    await execute(own ? 'rollback' : 'rollback to savepoint in_transaction');
    throw error;
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
