/// <reference path="./pg-utils.d.ts" />
import type { Connection, Submittable } from 'pg';
import utils from 'pg/lib/utils.js';

/** What PostgreSQL receives: text with the placeholders $1, $2, …, and their values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A statement to prepare by this name; without a name, for this once. */
export interface NamedStatement extends Statement {
  readonly name: string;
}

export type Rows = (string | null)[][];

/**
 * Statements in one message of the extended protocol, with one Sync at its end: PostgreSQL runs them as one transaction. The
 * client calls the handlers.
 */
export class StatementPipeline implements Submittable {
  /** For those who observe statements, that of all. Once they are sent, that of the statement that PostgreSQL is at. */
  text: string;
  /** pg notes by this and `text` that a statement is prepared, also when it fails afterwards. */
  name: string | undefined;
  private readonly statements: readonly NamedStatement[];
  private readonly rows: Rows = [];
  private done = 0;

  /** `callback` is called with the rows of the last statement, values as text. pg replaces it to end its timeout. */
  constructor(
    statements: readonly NamedStatement[],
    public callback: (error: unknown, rows?: Rows) => void,
  ) {
    this.text = statements.map(({ text }) => text).join('; ');
    this.statements = statements.map(({ values, ...each }) => ({
      ...each,
      values: values.map((value) => utils.prepareValue(value)),
    }));
  }

  submit(connection: Connection): void {
    const to = connection as unknown as PipelineConnection;
    to.stream.cork();
    for (const { name, text, values } of this.statements) {
      if (!name || to.parsedStatements[name] === undefined) {
        // A message may have the same statement twice. To close one that is not there is no error.
        if (name) to.close({ type: 'S', name });
        to.parse({ name, text });
      }
      to.bind({ statement: name, values });
      to.execute({});
    }
    to.sync();
    to.stream.uncork();
    this.awaitStatement();
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    if (this.done === this.statements.length - 1) this.rows.push(fields);
  }

  handleCommandComplete(): void {
    this.done += 1;
    this.awaitStatement();
  }

  handleError(error: unknown): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(null, this.rows);
  }

  private awaitStatement(): void {
    const { name, text = '' } = this.statements[this.done] ?? {};
    this.name = name;
    this.text = text;
  }

  handleRowDescription(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

/** What pg's types leave out. */
interface PipelineConnection {
  readonly stream: { cork(): void; uncork(): void };
  readonly parsedStatements: Record<string, string>;
  close(message: { type: 'S'; name: string }): void;
  parse(message: { name: string; text: string }): void;
  bind(message: { statement: string; values: readonly unknown[] }): void;
  execute(message: object): void;
  sync(): void;
}
