import { Arg, Authorized, Ctx, Extensions, Mutation, Query, Resolver } from 'type-graphql';
import type { Context, SignedInContext } from '../auth/context.ts';
import { Refusal, UserErrorCode, ValidationError } from '../graphql/user-errors.ts';
import { one, type ReadPlan } from '../reading/read-plan.ts';
import { Follow } from './follow.entity.ts';
import { User } from './user.entity.ts';
import { UserBy, UserInput } from './user.input.ts';
import { FollowPayload } from './user.payload.ts';
import { userReference, userWhere } from './user.repository.ts';
import { Viewer } from './viewer.ts';

@Resolver()
export class UserResolver {
  @Query(() => Viewer, { nullable: true, description: 'Null when signed out.' })
  viewer(@Ctx() { viewer }: Context): ReadPlan | null {
    return viewer && one(User, { id: viewer.id });
  }

  @Query(() => User, { nullable: true, description: 'Null when there is none.' })
  user(@Arg('by', () => UserBy, { description: 'Which one.' }) by: UserBy): ReadPlan {
    return one(User, userWhere(by));
  }

  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => FollowPayload, {
    nullable: true,
    description: "Puts a user's articles into the viewer's feed. Doing it again changes nothing.",
  })
  async followUser(
    @Arg('input', () => UserInput, { description: 'Whom.' }) input: UserInput,
    @Ctx() context: SignedInContext,
  ): Promise<FollowPayload> {
    const { em, viewer } = context;
    const user = await userReference(context, input.user);
    if (user.id === viewer.id) {
      throw new Refusal(new ValidationError(UserErrorCode.INVALID, "can't be yourself", ['input', 'user']));
    }
    await em.createQueryBuilder(Follow).insert({ follower: viewer.id, followed: user }).onConflict().ignore().execute();
    return { user };
  }

  @Authorized()
  @Extensions({ recordsWrites: true })
  @Mutation(() => FollowPayload, {
    nullable: true,
    description: "Takes a user's articles out of the viewer's feed. Doing it again changes nothing.",
  })
  async unfollowUser(
    @Arg('input', () => UserInput, { description: 'Whom.' }) input: UserInput,
    @Ctx() context: SignedInContext,
  ): Promise<FollowPayload> {
    const { em, viewer } = context;
    const user = await userReference(context, input.user);
    await em.nativeDelete(Follow, { follower: viewer.id, followed: user });
    return { user };
  }
}
