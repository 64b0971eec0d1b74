import type { EntityManager } from '@mikro-orm/postgresql';
import { isStorable } from '../database/storable.ts';
import { localId } from '../graphql/node.ts';
import { NotFoundError, Refusal, ResourceKind } from '../graphql/user-errors.ts';
import { nameKey } from '../text/fold-case.ts';
import { User } from './user.entity.ts';
import type { UserBy } from './user.input.ts';

/** The condition that finds the user; false when none can match. */
export function userWhere({ id, username }: UserBy): { id: number } | { usernameKey: string } | false {
  if (username != null) return isStorable(username) && { usernameKey: nameKey(username) };
  const row = localId('User', id ?? '');
  return row !== null && { id: row };
}

export async function findUser(em: EntityManager, by: UserBy): Promise<User> {
  const where = userWhere(by);
  const user = where && (await em.findOne(User, where));
  if (!user) throw new Refusal(new NotFoundError(ResourceKind.USER, ['input', 'user']));
  return user;
}
