import { Extensions, Int, Resolver } from 'type-graphql';
import { PageArgs } from '../reading/page-args.ts';
import { type Asked, count, equal, exists, links, one, page, ReadField, type Row } from '../reading/read-plan.ts';
import { SCAN_COST } from '../reading/scan-cost.ts';
import { Follow } from './follow.entity.ts';
import { UserConnection } from './user.connection.ts';
import { User } from './user.entity.ts';
import { Viewer } from './viewer.ts';

/** What is computed of a user. */
@Resolver(() => User)
export class UserFields {
  @ReadField(() => Boolean, { description: 'Whether the signed-in user follows this one; false when signed out.' })
  viewerIsFollowing(user: Row<User>, { viewer }: Asked) {
    return viewer !== null && exists(Follow, { follower: viewer.id, followed: user.id });
  }

  @ReadField(() => Boolean, { description: 'Whether this is the signed-in user.' })
  isViewer(user: Row<User>, { viewer }: Asked) {
    return viewer !== null && equal(user.id, viewer.id);
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => Int, { description: 'How many users follow this one.' })
  followersCount(user: Row<User>) {
    return count(Follow, { followed: user.id });
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => Int, { description: 'How many users this one follows.' })
  followingCount(user: Row<User>) {
    return count(Follow, { follower: user.id });
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => UserConnection, {
    args: () => PageArgs,
    description: 'Who follows this user, newest follower first.',
  })
  followers(user: Row<User>, { args }: Asked<PageArgs>) {
    return page(User, {
      through: links(Follow, { followed: user.id }, 'follower'),
      order: { name: 'FOLLOWER_SINCE', direction: 'DESC', by: { link: 'createdAt' } },
      args,
    });
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => UserConnection, { args: () => PageArgs, description: 'Whom this user follows, newest first.' })
  following(user: Row<User>, { args }: Asked<PageArgs>) {
    return page(User, {
      through: links(Follow, { follower: user.id }, 'followed'),
      order: { name: 'FOLLOWED_AT', direction: 'DESC', by: { link: 'createdAt' } },
      args,
    });
  }
}

/** What only the owner of an account sees. */
@Resolver(() => Viewer)
export class ViewerFields {
  @ReadField(() => User, { description: 'The public profile.' })
  user(viewer: Row<User>) {
    return one(User, { id: viewer.id });
  }
}
