import { OptionalProps } from '@mikro-orm/core';
import { Entity, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { User } from '../users/user.entity.ts';

/** A sign-in that has not ended. A token is valid only while the row of its session exists. */
@Entity({ tableName: 'sessions' })
export class Session {
  [OptionalProps]?: 'generation' | 'openedAt';

  @PrimaryKey({ type: 'uuid', defaultRaw: 'gen_random_uuid()' })
  readonly id!: string;

  @Index({ name: 'sessions_by_user' })
  @ManyToOne({ entity: () => User, deleteRule: 'cascade' })
  readonly user!: User;

  /** SHA-256 of the session's only unused refresh token. */
  @Property({ type: 'text' })
  refreshTokenHash!: string;

  /** SHA-256 of the refresh token used last, with the address that used it. */
  @Property({ type: 'text', nullable: true })
  previousUseHash!: string | null;

  @Property({ type: 'datetime', length: 3, nullable: true })
  refreshedAt!: Date | null;

  /** Never changed. Compared since releases before `endOthers` increment it; it can be dropped once none of them runs. */
  @Property({ type: 'integer', default: 1 })
  generation!: number;

  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  readonly openedAt!: Date;

  @Property({ type: 'datetime', length: 3 })
  expiresAt!: Date;
}
