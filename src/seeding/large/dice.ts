import { type RawBuilder, sql } from 'kysely';

type Sql<T> = RawBuilder<T>;

/**
 * Chance that falls the same way on every machine: each throw is a hash of the number it is thrown for. PostgreSQL can
 * not change `hashint8extended` without breaking hash-partitioned tables, and the fractions are exact: 53 bits over a
 * power of two, and what is made of them needs only `*`, `/` and `sqrt`, which IEEE 754 rounds alike everywhere
 * (`power` and `ln` are not).
 */
export class Dice {
  constructor(private readonly seed: number) {}

  /** From 0 up to, but never, 1. */
  fraction(thrown: Throw): Sql<number> {
    return sql`(${this.bits(thrown)}::float8 / 9007199254740992)`;
  }

  /** A whole number from 0 up to, but never, the limit. */
  below(limit: number | Sql<number>, thrown: Throw): Sql<number> {
    return sql`(${this.bits(thrown)} % ${limit})::int`;
  }

  oneOf(texts: readonly string[], thrown: Throw): Sql<string> {
    return sql`(${texts}::text[])[1 + ${this.below(sql.lit(texts.length), thrown)}]`;
  }

  /** A whole number below the limit, small ones much more often: what popularity looks like. */
  popular(limit: number, thrown: Throw): Sql<number> {
    const fraction = this.fraction(thrown);
    return sql`floor(${sql.lit(limit)} * ${fraction} * ${fraction})::int`;
  }

  /** A whole number with the given mean: mostly less, and now and then a thousand times more. */
  viral(mean: number, most: number, thrown: Throw): Sql<number> {
    return sql`least(${sql.lit(most)}, floor(${sql.lit(mean)} * (1 / sqrt(${this.fraction(thrown)} + 1e-12) - 1)))::int`;
  }

  private bits({ for: number, of }: Throw): Sql<bigint> {
    return sql`(hashint8extended(${number}, ${sql.lit(this.seed * 1000 + of)}) & 9007199254740991)`;
  }
}

export interface Throw {
  /** The SQL of the number that the throw belongs to. */
  for: Sql<unknown>;
  /** Which of its throws: two with the same fall the same way. */
  of: number;
}
