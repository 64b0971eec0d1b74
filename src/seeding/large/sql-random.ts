import { type RawBuilder, sql } from 'kysely';

type Sql<T> = RawBuilder<T>;

/**
 * SQL for pseudorandom values that are the same on every machine: each is a hash of its row's number. PostgreSQL cannot change
 * `hashint8extended` without breaking hash-partitioned tables. The fractions are exact (53 bits over a power of two), and are
 * used only with `*`, `/` and `sqrt`, which IEEE 754 rounds the same everywhere (unlike `power` and `ln`).
 */
export class SqlRandom {
  constructor(private readonly seed: number) {}

  /** From 0 to 1, exclusive. */
  fraction(key: Key): Sql<number> {
    return sql`(${this.bits(key)}::float8 / 9007199254740992)`;
  }

  /** An integer from 0 to the limit, exclusive. */
  below(limit: number | Sql<number>, key: Key): Sql<number> {
    return sql`(${this.bits(key)} % ${limit})::int`;
  }

  oneOf(texts: readonly string[], key: Key): Sql<string> {
    return sql`(${texts}::text[])[1 + ${this.below(sql.lit(texts.length), key)}]`;
  }

  /** An integer below the limit; small ones are much more frequent, like popularity. */
  skewed(limit: number, key: Key): Sql<number> {
    const fraction = this.fraction(key);
    return sql`floor(${sql.lit(limit)} * ${fraction} * ${fraction})::int`;
  }

  /** An integer with the given mean: mostly smaller, and rarely a thousand times larger. */
  longTailed(mean: number, max: number, key: Key): Sql<number> {
    return sql`least(${sql.lit(max)}, floor(${sql.lit(mean)} * (1 / sqrt(${this.fraction(key)} + 1e-12) - 1)))::int`;
  }

  private bits({ row, stream }: Key): Sql<bigint> {
    return sql`(hashint8extended(${row}, ${sql.lit(this.seed * 1000 + stream)}) & 9007199254740991)`;
  }
}

export interface Key {
  /** The SQL of the row's number. */
  row: Sql<unknown>;
  /** Values of one row are independent if their streams differ. */
  stream: number;
}
