import { Field, ID, ObjectType } from 'type-graphql';
import { DateTime } from '../graphql/scalars.ts';
import { UserError } from '../graphql/user-errors.ts';
import type { User } from '../users/user.entity.ts';
import { Viewer } from '../users/viewer.ts';

/** Payloads of account mutations. The fields of entities in them are read from the database, not from the loaded entity. */

const ERRORS = 'Why nothing was done; empty when it was.';

@ObjectType({ description: 'A signed-in session. Null fields exactly when `errors` is not empty.' })
export class AuthPayload {
  @Field(() => Viewer, { nullable: true, description: 'Who is signed in now.' })
  viewer?: User;

  @Field(() => String, {
    nullable: true,
    description: 'Goes into the header `Authorization: Token …` (or `Bearer …`).',
  })
  token?: string;

  @Field(() => DateTime, { nullable: true, description: 'When `token` stops working.' })
  expiresAt?: Date;

  @Field(() => String, {
    nullable: true,
    description:
      'Good for one `refreshSession`. Whoever has it can go on with the session: keep it in memory, not in a store of the browser.',
  })
  refreshToken?: string;

  @Field(() => [UserError], { description: ERRORS })
  errors?: readonly UserError[];
}

@ObjectType({ description: 'The changed account.' })
export class UpdateViewerPayload {
  @Field(() => Viewer, { nullable: true, description: 'The account as it is now.' })
  viewer?: User;

  @Field(() => String, {
    nullable: true,
    description:
      'Set when the password changed: a new token of this session. The one that was sent stays valid until it expires.',
  })
  token?: string;

  @Field(() => DateTime, { nullable: true, description: 'When `token` stops working.' })
  expiresAt?: Date;

  @Field(() => [UserError], { description: ERRORS })
  errors?: readonly UserError[];
}

@ObjectType({ description: 'The end of a session.' })
export class LogoutPayload {
  @Field(() => Boolean, { description: 'Always true: the tokens no longer work.' })
  ok!: boolean;
}

@ObjectType({ description: 'The end of an account.' })
export class DeleteViewerPayload {
  @Field(() => ID, { nullable: true, description: 'Id of the user that is no more, to drop from caches.' })
  deletedId?: string;

  @Field(() => [UserError], { description: ERRORS })
  errors?: readonly UserError[];
}
