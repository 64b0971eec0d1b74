import { Check, Entity, Index, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType } from 'type-graphql';
import { lengthCheck } from '../database/length-check.ts';
import { Node } from '../graphql/node.ts';
import { DateTime, Url } from '../graphql/scalars.ts';
import { formatLimit } from '../graphql/validation.ts';
import { nameIndexes } from '../reading/lists/name-search.ts';
import { foldCase, nameKey } from '../text/fold-case.ts';
import { USER_LIMITS } from './user.limits.ts';

const [BY_START, BY_PARTS] = nameIndexes('users', 'username_key');

/** A user account. Only properties with `@Field` leave the server; computed fields are in `*.fields.ts` files. */
@ObjectType({
  implements: Node,
  description: 'A public profile. Holds nothing private: the e-mail address lives on Viewer.',
})
@Entity({ tableName: 'users' })
@Check({ name: 'users_username_length', expression: lengthCheck('username', 1, USER_LIMITS.username) })
@Check({ name: 'users_email_length', expression: lengthCheck('email', 3, USER_LIMITS.email) })
@Check({ name: 'users_bio_length', expression: lengthCheck('bio', 1, USER_LIMITS.bio) })
@Check({ name: 'users_image_length', expression: lengthCheck('image', 1, USER_LIMITS.image) })
@Index(BY_START)
@Index(BY_PARTS)
export class User {
  @PrimaryKey({ type: 'integer', generated: 'by default as identity' })
  readonly id!: number;

  @Field(() => String, {
    description: `As its owner typed it, 1 to ${USER_LIMITS.username} characters; unique ignoring case.`,
  })
  @Property({ type: 'text' })
  username!: string;

  /** The case-folded `username`, without characters that are not drawn: unique, and the key for lookups. */
  @Unique({ name: 'users_username_unique' })
  @Property({ type: 'text' })
  usernameKey!: string;

  @Property({ type: 'text' })
  email!: string;

  /** The case-folded `email`: unique, and the key for lookups. */
  @Unique({ name: 'users_email_unique' })
  @Property({ type: 'text' })
  emailKey!: string;

  @Property({ type: 'text', lazy: true, hidden: true })
  passwordHash!: string;

  @Field(() => String, {
    nullable: true,
    description: `At most ${formatLimit(USER_LIMITS.bio)} characters. Null when never set; the empty string is stored as null.`,
  })
  @Property({ type: 'text', nullable: true })
  bio!: string | null;

  @Field(() => Url, { nullable: true, description: 'Address of the profile picture. Null when never set.' })
  @Property({ type: 'text', nullable: true })
  image!: string | null;

  @Field(() => DateTime, { description: 'When the account was made.' })
  @Property({ type: 'datetime', length: 3, defaultRaw: 'now()' })
  readonly createdAt!: Date;

  constructor(account: { username: string; email: string; passwordHash: string }) {
    this.change(account);
  }

  /** Assigns the given values; absent ones stay unchanged. */
  change({ username, email, ...rest }: UserChanges): void {
    if (username !== undefined) Object.assign(this, { username, usernameKey: nameKey(username) });
    if (email !== undefined) Object.assign(this, { email, emailKey: foldCase(email) });
    Object.assign(this, rest);
  }
}

export interface UserChanges {
  username?: string;
  email?: string;
  passwordHash?: string;
  bio?: string | null;
  image?: string | null;
}
