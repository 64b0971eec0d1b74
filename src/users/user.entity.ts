import { Check, Entity, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType } from 'type-graphql';
import { Node } from '../graphql/node.ts';
import { DateTime, Url } from '../graphql/scalars.ts';
import { foldCase } from './fold-case.ts';

/** Somebody with an account. Only what carries `@Field` leaves the server; user.fields.ts adds what is computed. */
@ObjectType({
  implements: Node,
  description: 'A public profile. Holds nothing private: the e-mail address lives on Viewer.',
})
@Entity({ tableName: 'users' })
@Check({ name: 'users_username_length', expression: '(char_length(username) >= 1) and (char_length(username) <= 50)' })
@Check({ name: 'users_email_length', expression: '(char_length(email) >= 3) and (char_length(email) <= 254)' })
@Check({ name: 'users_bio_length', expression: '(char_length(bio) >= 1) and (char_length(bio) <= 1000)' })
@Check({ name: 'users_image_length', expression: '(char_length(image) >= 1) and (char_length(image) <= 2048)' })
export class User {
  @PrimaryKey({ type: 'integer', generated: 'by default as identity' })
  readonly id!: number;

  @Field(() => String, { description: 'As its owner typed it, 1 to 50 characters; unique ignoring case.' })
  @Property({ type: 'text' })
  username!: string;

  /** `username` without its case: what makes it unique, and findable. */
  @Unique({ name: 'users_username_unique' })
  @Property({ type: 'text' })
  usernameKey!: string;

  @Property({ type: 'text' })
  email!: string;

  /** `email` without its case: what makes it unique, and findable. */
  @Unique({ name: 'users_email_unique' })
  @Property({ type: 'text' })
  emailKey!: string;

  @Property({ type: 'text', lazy: true, hidden: true })
  passwordHash!: string;

  @Field(() => String, {
    nullable: true,
    description: 'At most 1,000 characters. Null when never set; the empty string is stored as null.',
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

  /** Takes over what is given; what is absent stays as it is. */
  change({ username, email, ...rest }: UserChanges): void {
    if (username !== undefined) Object.assign(this, { username, usernameKey: foldCase(username) });
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
