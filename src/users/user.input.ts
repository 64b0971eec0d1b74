import { Extensions, Field, ID, InputType } from 'type-graphql';

@InputType({ description: 'Which user: exactly one of the keys.' })
@Extensions({ oneOf: true })
export class UserBy {
  @Field(() => ID, { nullable: true, description: 'Its opaque id.' })
  id?: string;

  @Field(() => String, { nullable: true, description: 'Its name, ignoring case.' })
  username?: string;
}

@InputType({ description: 'A user to act on.' })
export class UserInput {
  @Field(() => UserBy, { description: 'Which one.' })
  user!: UserBy;
}
