import { OptionalProps, PrimaryKeyProp } from '@mikro-orm/core';
import { Check, Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { User } from './user.entity.ts';

/** A user follows another, whose articles appear in the feed. */
@Entity({ tableName: 'follows' })
@Check({ name: 'follows_not_oneself', expression: 'follower_id <> followed_id' })
@Index({ name: 'follows_by_follower', properties: ['follower', 'createdAt', 'followed'] })
@Index({ name: 'follows_by_followed', properties: ['followed', 'createdAt', 'follower'] })
export class Follow {
  [OptionalProps]?: 'createdAt';
  [PrimaryKeyProp]?: ['follower', 'followed'];

  @ManyToOne({ entity: () => User, primary: true, deleteRule: 'cascade' })
  readonly follower!: User;

  @ManyToOne({ entity: () => User, primary: true, deleteRule: 'cascade' })
  readonly followed!: User;

  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  readonly createdAt!: Date;
}
