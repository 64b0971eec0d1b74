import type { CompiledQuery } from 'kysely';
import { orm } from './blog.ts';

/** What is sent to the database while something is done. */
export async function statementsDuring(act: () => Promise<unknown>): Promise<CompiledQuery[]> {
  const executor = orm.em.getConnection().getClient().getExecutor();
  const execute = executor.executeQuery;
  const statements: CompiledQuery[] = [];
  executor.executeQuery = function (query, ...rest) {
    statements.push(query);
    return execute.call(this, query, ...rest) as never;
  };
  try {
    await act();
  } finally {
    executor.executeQuery = execute;
  }
  return statements;
}
