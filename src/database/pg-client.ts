import type { Socket } from 'node:net';
import { Client, type ClientBase, type QueryConfig, type QueryResult } from 'pg';

/**
 * A connection of MikroORM's pool. A transaction begins with its first statement: both go in one message, of which PostgreSQL
 * does nothing more once a part has failed. It saves a round trip, and nobody is told that a transaction has begun before it
 * is used.
 */
export class PgClient extends Client {
  /** Told of every statement, and of its answer. */
  onStatement: ((text: string, answer: Promise<unknown>) => void) | undefined;
  private isToBegin = false;

  // biome-ignore lint/suspicious/noExplicitAny: query has an overload for each of pg's ways to ask, and all pass here
  override query(...sent: any[]): any {
    if (sent[0] === 'begin') {
      this.isToBegin = true;
      return Promise.resolve(BEGUN);
    }
    const answer: unknown = this.isToBegin ? this.beginWith(sent) : this.send(sent);
    if (answer instanceof Promise) {
      this.onStatement?.(textOf(sent[0]), answer);
      answer.catch((error: Error) => this.leaveSilence(error));
    }
    return answer;
  }

  private async beginWith(sent: unknown[]): Promise<unknown> {
    this.isToBegin = false;
    const [text, values] = sent as [unknown, (readonly unknown[])?];
    if (typeof text === 'string' && !values?.length) {
      const [, ...results] = (await this.send([`begin; ${text}`])) as QueryResult[];
      return results.length > 1 ? results : results[0];
    }
    await this.send(['begin']); // what has values goes in a message of its own
    return this.send(sent);
  }

  private send(sent: unknown[]): unknown {
    return super.query(...(sent as [string]));
  }

  /** When pg gives up on an answer it leaves the connection open, and the next who gets it waits behind the same silence. */
  private leaveSilence({ message }: Error): void {
    if (message === 'Query read timeout') destroySocket(this);
  }
}

const BEGUN = { command: 'BEGIN', rowCount: null, rows: [] };

/** pg takes a statement as its text, or as an object that has one. */
const textOf = (sent: unknown): string => (typeof sent === 'string' ? sent : String((sent as QueryConfig).text));

/** Ends a connection without a word to the other side, from which nothing is expected any more. */
export function destroySocket(connection: ClientBase): void {
  connection.on('error', () => {});
  const { stream } = (connection as unknown as { connection: { stream: Socket } }).connection;
  stream.destroy(new Error('The database said nothing.'));
}
