import { createHash } from 'node:crypto';
import type { EntityClass } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { NotFoundError, Refusal, type ResourceKind, UserErrorCode, ValidationError } from '../graphql/user-errors.ts';
import { formatLimit, line } from '../graphql/validation.ts';
import { IDEMPOTENCY_KEY_LENGTH } from './idempotency-key.entity.ts';

/** The rule of an `idempotencyKey`. */
export const idempotencyKey = line(IDEMPOTENCY_KEY_LENGTH).nullish();

export const describeIdempotencyKey = (created: string): string =>
  `A second call of the viewer with this key and the same input within 24 hours returns the ${created} of the first. One line of at most ${formatLimit(IDEMPOTENCY_KEY_LENGTH)} characters.`;

export interface CreateRequest<T> {
  readonly userId: number;
  readonly key: string | null | undefined;
  /** Everything that decides what is created. */
  readonly asked: unknown;
  readonly entity: EntityClass<T>;
  readonly kind: ResourceKind;
}

/**
 * What `create` returns, or what the first call with the same key created. The key is stored in the transaction that creates,
 * so that one is never there without the other. A call at the same time waits for it.
 */
export async function createOnce<T extends { id: number }>(
  em: EntityManager,
  request: CreateRequest<T>,
  create: (em: EntityManager) => Promise<T>,
): Promise<T> {
  const { key, userId } = request;
  if (key == null) return create(em);
  return em.transactional(async (em) => {
    if (!(await claim(em, userId, key, hash(request)))) return findCreated(em, request, key);
    const created = await create(em);
    await em.execute('update idempotency_keys set created_id = ? where user_id = ? and key = ?', [
      created.id,
      userId,
      key,
    ]);
    return created;
  });
}

/** Stores the key, unless it is in use. Deletes the user's keys that are too old to be replayed. */
async function claim(em: EntityManager, userId: number, key: string, request: string): Promise<boolean> {
  const rows = await em.execute(
    `with expired as (delete from idempotency_keys where user_id = ? and key <> ? and ${IS_EXPIRED})
     insert into idempotency_keys (user_id, key, request) values (?, ?, ?)
     on conflict (user_id, key) do update set request = excluded.request, created_id = null, created_at = excluded.created_at
       where idempotency_keys.${IS_EXPIRED} returning key`,
    [userId, key, userId, key, request],
  );
  return rows.length > 0;
}

async function findCreated<T>(em: EntityManager, request: CreateRequest<T>, key: string): Promise<T> {
  const path = ['input', 'idempotencyKey'];
  const [earlier] = await em.execute<{ request: string; created_id: number }[]>(
    'select request, created_id from idempotency_keys where user_id = ? and key = ?',
    [request.userId, key],
  );
  if (earlier?.request !== hash(request)) {
    throw new Refusal(new ValidationError(UserErrorCode.CONFLICT, 'was used with other input', path));
  }
  const created = await em.findOne(request.entity, earlier.created_id as never);
  if (!created) throw new Refusal(new NotFoundError(request.kind, path)); // it was deleted since
  return created as T;
}

const hash = ({ kind, asked }: CreateRequest<never>): string =>
  createHash('sha256')
    .update(JSON.stringify([kind, asked]))
    .digest('base64url');

const IS_EXPIRED = "created_at < now() - interval '24 hours'";
