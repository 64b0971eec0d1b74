import { Extensions, Int, Resolver } from 'type-graphql';
import { PageArgs } from '../reading/page-args.ts';
import {
  type Columns,
  count,
  equal,
  exists,
  links,
  one,
  page,
  type ReadContext,
  ReadField,
} from '../reading/read-plan.ts';
import { SCAN_COST } from '../reading/scan-cost.ts';
import { Follow } from './follow.entity.ts';
import { UserConnection } from './user.connection.ts';
import { User } from './user.entity.ts';
import { Viewer } from './viewer.ts';

/** Computed fields of a user. */
@Resolver(() => User)
export class UserFields {
  @ReadField(() => Boolean, { description: 'Whether the signed-in user follows this one; false when signed out.' })
  viewerIsFollowing(user: Columns<User>, { viewer }: ReadContext) {
    return viewer !== null && exists(Follow, { follower: viewer.id, followed: user.id });
  }

  @ReadField(() => Boolean, { description: 'Whether this is the signed-in user.' })
  isViewer(user: Columns<User>, { viewer }: ReadContext) {
    return viewer !== null && equal(user.id, viewer.id);
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => Int, { description: 'How many users follow this one.' })
  followersCount(user: Columns<User>) {
    return count(Follow, { followed: user.id });
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => Int, { description: 'How many users this one follows.' })
  followingCount(user: Columns<User>) {
    return count(Follow, { follower: user.id });
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => UserConnection, {
    args: () => PageArgs,
    description: 'Who follows this user, newest follower first.',
  })
  followers(user: Columns<User>, { args }: ReadContext<PageArgs>) {
    return page(User, {
      through: links(Follow, { followed: user.id }, 'follower'),
      order: { name: 'FOLLOWER_SINCE', direction: 'DESC', by: { link: 'createdAt' } },
      args,
    });
  }

  @Extensions({ scanCost: SCAN_COST.indexRange })
  @ReadField(() => UserConnection, { args: () => PageArgs, description: 'Whom this user follows, newest first.' })
  following(user: Columns<User>, { args }: ReadContext<PageArgs>) {
    return page(User, {
      through: links(Follow, { follower: user.id }, 'followed'),
      order: { name: 'FOLLOWED_AT', direction: 'DESC', by: { link: 'createdAt' } },
      args,
    });
  }
}

/** Fields that only the owner of an account sees. */
@Resolver(() => Viewer)
export class ViewerFields {
  @ReadField(() => User, { description: 'The public profile.' })
  user(viewer: Columns<User>) {
    return one(User, { id: viewer.id });
  }
}
