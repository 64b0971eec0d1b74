import { PrimaryKeyProp } from '@mikro-orm/core';
import { Check, Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { lengthCheck } from '../database/length-check.ts';
import { User } from './user.entity.ts';

export const IDEMPOTENCY_KEY_LENGTH = 200;

/** A key that a user sent with a request to create something, and what it created. See create-once.ts. */
@Entity({ tableName: 'idempotency_keys' })
@Check({ name: 'idempotency_keys_key_length', expression: lengthCheck('key', 1, IDEMPOTENCY_KEY_LENGTH) })
export class IdempotencyKey {
  [PrimaryKeyProp]?: ['user', 'key'];

  @ManyToOne({ entity: () => User, primary: true, deleteRule: 'cascade' })
  readonly user!: User;

  @PrimaryKey({ type: 'text' })
  readonly key!: string;

  /** A hash of what was asked for. */
  @Property({ type: 'text' })
  readonly request!: string;

  /** The id of what was created; null until the transaction commits. */
  @Property({ type: 'integer', nullable: true })
  readonly createdId!: number | null;

  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  readonly createdAt!: Date;
}
