import { Extensions, Field, ObjectType } from 'type-graphql';
import { User } from './user.entity.ts';

/** A row of users as its owner sees it. */
@ObjectType({ description: "The signed-in user's private view." })
@Extensions({ readsFrom: User })
export class Viewer {
  @Field(() => String, { description: 'The address to sign in with, as it was typed.' })
  readonly email!: string;
}
