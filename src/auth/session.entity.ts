import { OptionalProps } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { User } from '../users/user.entity.ts';

/** One sign-in, until it is ended. A token is good only while its session is here. */
@Entity({ tableName: 'sessions' })
export class Session {
  [OptionalProps]?: 'generation' | 'openedAt';

  @PrimaryKey({ type: 'uuid', defaultRaw: 'gen_random_uuid()' })
  readonly id!: string;

  @Index({ name: 'sessions_by_user' })
  @ManyToOne({ entity: () => User, deleteRule: 'cascade' })
  readonly user!: User;

  /** SHA-256 of the one refresh token that is still unused. */
  @Property({ type: 'text' })
  refreshTokenHash!: string;

  /** Raised when the password changes, so that access tokens of this session issued before stop working too. */
  @Property({ type: 'integer', default: 1 })
  generation!: number;

  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  readonly openedAt!: Date;

  @Property({ type: 'datetime', length: 3 })
  expiresAt!: Date;
}
