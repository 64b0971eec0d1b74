import type { Statement } from '../database/batch/statement-pipeline.ts';
import { isTransientDatabaseError } from '../database/database-errors.ts';
import { QueryTooComplex } from '../graphql/errors.ts';
import type { PreparedStatements } from './prepared-statements.ts';
import { join, literal, type Sql, sql, toStatement } from './sql.ts';

/**
 * Batches the reads that one request makes in the same tick into one statement, or a few, since a round trip costs more than
 * most reads. Reads of different requests are never batched together.
 */
export class ReadBatch {
  private pending: Read[] = [];
  private bytes = 0;

  constructor(
    private readonly statements: PreparedStatements,
    private readonly signal: AbortSignal,
  ) {}

  /** The value of an expression as text. Throws QueryTooComplex when the request has read too many bytes with it. */
  value(expression: Sql): Promise<string | null> {
    // The next tick runs after every promise that is already settled, so by then GraphQL has called each resolver it can.
    if (this.pending.length === 0) process.nextTick(() => this.send());
    return new Promise((resolve, reject) => this.pending.push({ expression, resolve, reject }));
  }

  /** The id of a row of this table that is not written yet. One that is not used in the end leaves a gap. */
  async nextId(table: string): Promise<number> {
    return Number(await this.value(sql`nextval(pg_get_serial_sequence(${table}, 'id'))`));
  }

  /** Sends writes, and reads the values of expressions after them, in one message and one transaction. */
  async valuesAfter(writes: readonly Statement[], expressions: readonly Sql[]): Promise<Promise<string | null>[]> {
    const reads = expressions.length > 0 ? [toStatement(boundedRows(expressions))] : [];
    const rows = await this.statements.transaction([...writes, ...reads]);
    return expressions.map((expression, index) => {
      const [text = null, bytes] = rows[index] ?? [];
      const value = new Promise<string | null>((resolve, reject) => {
        this.settle({ expression, resolve, reject }, [text, Number(bytes)]);
      });
      value.catch(() => {}); // whoever reads the field handles it
      return value;
    });
  }

  private send(): void {
    const reads = this.pending;
    this.pending = [];
    if (this.signal.aborted) {
      for (const { reject } of reads) reject(this.signal.reason);
      return;
    }
    // One PostgreSQL process evaluates the expressions of a statement one after the other, so large batches are split.
    for (let first = 0; first < reads.length; first += MAX_READS_PER_STATEMENT) {
      void this.run(reads.slice(first, first + MAX_READS_PER_STATEMENT));
    }
  }

  private async run(reads: readonly Read[]): Promise<void> {
    try {
      const rows = await this.statements.rows(boundedRows(reads.map(({ expression }) => expression)), this.signal);
      reads.forEach((read, index) => {
        this.settle(read, rows[index] as [string | null, number | null]);
      });
    } catch (error) {
      // One read fails the whole statement. Running each alone lets the others succeed.
      const runsEachAlone = reads.length > 1 && !this.signal.aborted && !isTransientDatabaseError(error);
      for (const read of reads) {
        if (runsEachAlone) void this.run([read]);
        else read.reject(error);
      }
    }
  }

  private settle({ resolve, reject }: Read, [text, bytes]: [string | null, number | null]): void {
    this.bytes += bytes ?? 0;
    if (this.bytes <= MAX_READ_BYTES) resolve(text);
    else reject(new QueryTooComplex('bytes', MAX_READ_BYTES, this.bytes));
  }
}

/**
 * One row per expression: its value and the size of that in bytes. The value is null when it is too large.
 * `offset 0` keeps PostgreSQL from evaluating the expression once per reference.
 */
const boundedRows = (expressions: readonly Sql[]): Sql =>
  sql`select case when octet_length(value) <= ${literal(MAX_READ_BYTES)} then value end, octet_length(value)
    from (values ${join(
      expressions.map((expression) => sql`((${expression})::text)`),
      ', ',
    )} offset 0) as asked (value)`;

interface Read {
  readonly expression: Sql;
  readonly resolve: (value: string | null) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_READS_PER_STATEMENT = 4;

/** The limit for all reads of a request. */
export const MAX_READ_BYTES = 5_000_000;
