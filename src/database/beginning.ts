import { Client, type Pool, type QueryResult } from 'pg';

/**
 * Lets a transaction begin with its first statement: both go in one message, of which PostgreSQL does nothing more once a
 * part has failed. It saves a round trip, and nobody is told that a transaction has begun before it is used.
 */
export function beginWithFirstStatement(pool: Pool): void {
  pool.on('connect', (connection) => {
    const query = (...sent: unknown[]) =>
      Client.prototype.query.apply(connection, sent as never) as unknown as Promise<unknown>;
    let isToBegin = false;

    async function withBegin(...sent: unknown[]): Promise<unknown> {
      const [text, values] = sent as [unknown, (readonly unknown[])?];
      if (typeof text === 'string' && !values?.length) {
        const [, ...results] = (await query(`begin; ${text}`)) as QueryResult[];
        return results.length > 1 ? results : results[0];
      }
      await query('begin'); // what has values goes in a message of its own
      return query(...sent);
    }

    connection.query = ((...sent: unknown[]) => {
      if (sent[0] === 'begin') {
        isToBegin = true;
        return Promise.resolve(BEGUN);
      }
      if (!isToBegin) return query(...sent);
      isToBegin = false;
      return withBegin(...sent);
    }) as typeof connection.query;
  });
}

const BEGUN = { command: 'BEGIN', rowCount: null, rows: [] };
