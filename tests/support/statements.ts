import { orm } from './blog.ts';

/** The SQL that is sent to the database while something is done. */
export async function statementsDuring(act: () => Promise<unknown>): Promise<string[]> {
  const executor = orm.em.getConnection().getClient().getExecutor();
  const execute = executor.executeQuery;
  const statements: string[] = [];
  executor.executeQuery = function (query, ...rest) {
    statements.push(query.sql);
    return execute.call(this, query, ...rest) as never;
  };
  try {
    await act();
  } finally {
    executor.executeQuery = execute;
  }
  return statements;
}
