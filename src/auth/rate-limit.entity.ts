import { OptionalProps } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** How often something was tried of late, in the columns of rate-limiter-flexible, in its order. */
@Entity({ tableName: 'rate_limits' })
export class RateLimit {
  [OptionalProps]?: 'points';

  /** What is limited, and a SHA-256 of whom: nobody learns addresses from here. */
  @PrimaryKey({ type: 'text' })
  readonly key!: string;

  @Property({ type: 'integer', default: 0 })
  readonly points!: number;

  /** Milliseconds since 1970, after which it counts from nothing again. */
  @Index({ name: 'rate_limits_by_expire' })
  @Property({ type: 'bigint' })
  readonly expire!: number;
}
