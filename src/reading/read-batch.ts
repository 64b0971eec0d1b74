import { isTransientDatabaseError } from '../database/database-errors.ts';
import { QueryTooComplex } from '../graphql/errors.ts';
import type { PreparedStatements } from './prepared-statements.ts';
import { join, literal, type Sql, sql } from './sql.ts';

/**
 * What one request reads: whatever it asks for in the same tick is sent together, as one statement, or a few. A round trip
 * costs more than most of what is asked for. Nothing of two requests is ever sent together.
 */
export class ReadBatch {
  private asked: Question[] = [];
  private bytes = 0;

  constructor(
    private readonly statements: PreparedStatements,
    private readonly signal: AbortSignal,
  ) {}

  /** The value of an expression, as text. Throws QueryTooComplex when the request has read too much with it. */
  value(expression: Sql): Promise<string | null> {
    // Resolvers answer with promises, and the next tick comes after all of those that have nothing to wait for: by then every
    // field that GraphQL resolves at once has been asked for.
    if (this.asked.length === 0) process.nextTick(() => this.send());
    return new Promise((resolve, reject) => this.asked.push({ expression, resolve, reject }));
  }

  private send(): void {
    const asked = this.asked;
    this.asked = [];
    if (this.signal.aborted) {
      for (const { reject } of asked) reject(this.signal.reason);
      return;
    }
    // What is asked for in one statement is looked for by one process of PostgreSQL, one after the other.
    for (let first = 0; first < asked.length; first += MAX_READS_PER_STATEMENT) {
      void this.answer(asked.slice(first, first + MAX_READS_PER_STATEMENT));
    }
  }

  private async answer(questions: readonly Question[]): Promise<void> {
    try {
      const rows = await this.statements.rows(bounded(questions.map(({ expression }) => expression)), this.signal);
      questions.forEach((question, place) => {
        this.take(question, rows[place] as [string | null, number | null]);
      });
    } catch (error) {
      // One of them can not be answered; the others are to be, as if they had been asked for alone.
      const isOfOne = questions.length > 1 && !this.signal.aborted && !isTransientDatabaseError(error);
      for (const question of questions) {
        if (isOfOne) void this.answer([question]);
        else question.reject(error);
      }
    }
  }

  private take({ resolve, reject }: Question, [text, bytes]: [string | null, number | null]): void {
    this.bytes += bytes ?? 0;
    if (this.bytes <= MAX_READ_BYTES) resolve(text);
    else reject(new QueryTooComplex('bytes', MAX_READ_BYTES, this.bytes));
  }
}

/**
 * A row of two for each expression: its value, and how many bytes that has. What is too large the database keeps to itself.
 * "offset 0", or PostgreSQL would work it out each time that it is named.
 */
const bounded = (expressions: readonly Sql[]): Sql =>
  sql`select case when octet_length(value) <= ${literal(MAX_READ_BYTES)} then value end, octet_length(value)
    from (values ${join(
      expressions.map((expression) => sql`((${expression})::text)`),
      ', ',
    )} offset 0) as asked (value)`;

interface Question {
  readonly expression: Sql;
  readonly resolve: (value: string | null) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_READS_PER_STATEMENT = 4;

/** Of all that a request reads. */
export const MAX_READ_BYTES = 5_000_000;
