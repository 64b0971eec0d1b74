import { Client, type QueryConfig } from 'pg';
import type { Statement } from '../../src/database/batch/statement-pipeline.ts';

/** The statements that are sent to the database while `act` runs. */
export async function statementsDuring(act: () => Promise<unknown>): Promise<Statement[]> {
  const query = Client.prototype.query;
  const statements: Statement[] = [];
  Client.prototype.query = function (this: Client, ...args: [string | QueryConfig, unknown[]?]) {
    const [given, values = []] = args;
    statements.push(
      typeof given === 'string' ? { text: given, values } : { text: given.text, values: given.values ?? [] },
    );
    return query.apply(this, args as never);
  } as typeof query;
  try {
    await act();
  } finally {
    Client.prototype.query = query;
  }
  return statements;
}
