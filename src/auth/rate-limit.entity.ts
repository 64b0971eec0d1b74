import { OptionalProps } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A counter of recent attempts, as rate-limiter.ts keeps it. */
@Entity({ tableName: 'rate_limits' })
export class RateLimit {
  [OptionalProps]?: 'points';

  /** The name of the limit and a SHA-256 of the account or address, so that the table contains no addresses. */
  @PrimaryKey({ type: 'text' })
  readonly key!: string;

  @Property({ type: 'integer', default: 0 })
  readonly points!: number;

  /** When the counter restarts, in milliseconds since 1970. */
  @Index({ name: 'rate_limits_by_expire' })
  @Property({ type: 'bigint' })
  readonly expire!: number;
}
