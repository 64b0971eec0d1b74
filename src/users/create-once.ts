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

interface Creation<T, P> {
  /** What takes long and writes nothing. Not done again for a key that is in use. */
  prepare(): Promise<P>;
  create(em: EntityManager, prepared: P): Promise<T>;
}

/**
 * What `create` returns, or what the first call with the same key created. The key is stored in the transaction that creates,
 * so that one is never there without the other. A call at the same time waits for it.
 */
export async function createOnce<T extends { id: number }, P>(
  em: EntityManager,
  request: CreateRequest<T>,
  { prepare, create }: Creation<T, P>,
): Promise<T> {
  const { key, userId } = request;
  if (key == null) return create(em, await prepare());
  const found = await findCreated(em, request, key);
  if (found) return found;
  const prepared = await prepare();
  return em.transactional(async (em) => {
    if (!(await claim(em, userId, key, hash(request)))) {
      return (await findCreated(em, request, key)) ?? notFound(request.kind);
    }
    const created = await create(em, prepared);
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

/** What an earlier call with the key created; null if there was none within the time that a key is kept. */
async function findCreated<T>(em: EntityManager, request: CreateRequest<T>, key: string): Promise<T | null> {
  const find = () =>
    em.execute<{ request: string; created_id: number }[]>(
      `select request, created_id from idempotency_keys where user_id = ? and key = ? and not ${IS_EXPIRED}`,
      [request.userId, key],
    );
  const [earlier] = await find();
  if (!earlier) return null;
  if (earlier.request !== hash(request)) {
    throw new Refusal(new ValidationError(UserErrorCode.CONFLICT, 'was used with other input', PATH));
  }
  const created = await em.findOne(request.entity, earlier.created_id as never);
  if (created) return created as T;
  // It was deleted since. If the key is gone too, the account was; whoever creates then learns that the session has ended.
  const [kept] = await find();
  return kept ? notFound(request.kind) : null;
}

const PATH = ['input', 'idempotencyKey'];

function notFound(kind: ResourceKind): never {
  throw new Refusal(new NotFoundError(kind, PATH));
}

const hash = ({ kind, asked }: CreateRequest<never>): string =>
  createHash('sha256')
    .update(JSON.stringify([kind, asked]))
    .digest('base64url');

const IS_EXPIRED = "created_at < now() - interval '24 hours'";
