import type { EntityManager } from '@mikro-orm/postgresql';
import type { Context } from '../auth/context.ts';
import { isStorable } from '../database/storable.ts';
import { localId } from '../graphql/node.ts';
import { NotFoundError, Refusal, ResourceKind, TakenError } from '../graphql/user-errors.ts';
import { findId } from '../reading/find-id.ts';
import { foldCase, nameKey } from '../text/fold-case.ts';
import { User } from './user.entity.ts';
import type { UserBy } from './user.input.ts';

/** The condition that finds the user; false when none can match. */
export function userWhere({ id, username }: UserBy): { id: number } | { usernameKey: string } | false {
  if (username != null) return isStorable(username) && { usernameKey: nameKey(username) };
  const row = localId('User', id ?? '');
  return row !== null && { id: row };
}

/** A reference to the user for mutations that only link to them; the row is not loaded. */
export async function userReference(context: Context, by: UserBy): Promise<User> {
  const id = await findId(context, User, userWhere(by));
  if (id === null) throw new Refusal(new NotFoundError(ResourceKind.USER, ['input', 'user']));
  return context.em.getReference(User, id);
}

/**
 * An error for each name that another account has, so that a form shows both at once. Between concurrent requests the unique
 * constraints decide.
 */
export async function takenErrors(
  em: EntityManager,
  names: AccountNames,
  self?: { id: number },
): Promise<TakenError[]> {
  const keys = {
    ...(names.username !== undefined && { usernameKey: nameKey(names.username) }),
    ...(names.email !== undefined && { emailKey: foldCase(names.email) }),
  };
  if (Object.keys(keys).length === 0) return [];
  const others = await em.find(
    User,
    { $or: Object.entries(keys).map(([key, value]) => ({ [key]: value })), ...(self && { id: { $ne: self.id } }) },
    { fields: ['usernameKey', 'emailKey'], disableIdentityMap: true },
  );
  const isTaken = (key: keyof typeof keys) => key in keys && others.some((other) => other[key] === keys[key]);
  return [
    ...(isTaken('usernameKey') ? [new TakenError(['input', 'username'])] : []),
    ...(isTaken('emailKey') ? [new TakenError(['input', 'email'])] : []),
  ];
}

interface AccountNames {
  readonly username?: string | undefined;
  readonly email?: string | undefined;
}
