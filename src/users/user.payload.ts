import { Field, ObjectType } from 'type-graphql';
import { UserError } from '../graphql/user-errors.ts';
import { User } from './user.entity.ts';

@ObjectType({ description: 'The user that is followed now, or no longer.' })
export class FollowPayload {
  @Field(() => User, { nullable: true, description: 'As it is now.' })
  user?: User;

  @Field(() => [UserError], { description: 'Why nothing was done; empty when it was.' })
  errors?: readonly UserError[];
}
