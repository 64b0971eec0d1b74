import type { Socket } from 'node:net';
import { Client, type ClientBase, type QueryConfig, type QueryResult } from 'pg';
import { type NamedStatement, type Rows, StatementPipeline } from './batch/statement-pipeline.ts';
import { isReadOnly } from './database-errors.ts';
import { type StartupMessage, withSessionSettings } from './session-settings.ts';

/**
 * A connection of MikroORM's pool, with settings of its own. `begin` is deferred and sent in one message with the first statement of the transaction,
 * which saves a round trip. PostgreSQL skips the rest of a message once a part of it has failed.
 */
export class PgClient extends Client {
  /** Called with every statement and its result. */
  onStatement: ((text: string, result: Promise<unknown>) => void) | undefined;
  /** Called when a statement is done, with its error if it failed. */
  onDone: ((error?: Error) => void) | undefined;
  private beginIsPending = false;

  /** Called by pg, whose types leave it out. */
  getStartupConf(): StartupMessage {
    const pg = Client.prototype as unknown as Pick<PgClient, 'getStartupConf'>;
    return withSessionSettings(pg.getStartupConf.call(this));
  }

  // biome-ignore lint/suspicious/noExplicitAny: pg overloads query for each form of its arguments, and all pass here
  override query(...args: any[]): any {
    if (args[0] === 'begin') {
      this.beginIsPending = true;
      return Promise.resolve(BEGUN);
    }
    const result: unknown = this.beginIsPending ? this.beginWith(args) : this.send(args);
    if (result instanceof Promise) this.observe(textOf(args[0]), result);
    return result;
  }

  /** Runs statements in one message, as one transaction. Returns the rows of the last one, values as text. */
  runTogether(statements: readonly NamedStatement[]): Promise<Rows> {
    const { promise, resolve, reject } = Promise.withResolvers<Rows>();
    const pipeline = new StatementPipeline(statements, (error, rows = []) => (error ? reject(error) : resolve(rows)));
    const { text } = pipeline;
    this.send([pipeline]);
    this.observe(text, promise);
    return promise;
  }

  private observe(text: string, result: Promise<unknown>): void {
    this.onStatement?.(text, result);
    result.then(
      () => this.onDone?.(),
      (error: Error) => {
        this.closeIfUseless(error);
        this.onDone?.(error);
      },
    );
  }

  private async beginWith(args: unknown[]): Promise<unknown> {
    this.beginIsPending = false;
    const [text, values] = args as [unknown, (readonly unknown[])?];
    if (typeof text === 'string' && !values?.length) {
      const [, ...results] = (await this.send([`begin; ${text}`])) as QueryResult[];
      return results.length > 1 ? results : results[0];
    }
    await this.send(['begin']); // a statement with parameters needs a message of its own
    return this.send(args);
  }

  private send(args: unknown[]): unknown {
    return super.query(...(args as [string]));
  }

  /**
   * After a read timeout pg keeps the connection open, and the next query on it would wait for the same response. A
   * connection to a standby stays one, also when the same address leads new ones to the primary.
   */
  private closeIfUseless(error: Error): void {
    if (error.message === 'Query read timeout' || isReadOnly(error)) destroySocket(this);
  }
}

const BEGUN = { command: 'BEGIN', rowCount: null, rows: [] };

/** pg takes a statement as text, or as an object with the text. */
const textOf = (query: unknown): string => (typeof query === 'string' ? query : String((query as QueryConfig).text));

/** Closes a connection without the closing handshake, for a server that no longer responds. */
export function destroySocket(client: ClientBase): void {
  client.on('error', () => {});
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.destroy(new Error('No response from the database.'));
}
