import type { GraphQLError } from 'graphql';
import { SESSION_HAS_ENDED } from '../../auth/sessions.ts';
import { invalidToken } from '../../auth/token.ts';
import { NotFoundError, Refusal, ResourceKind, TakenError } from '../../graphql/user-errors.ts';

/**
 * The client error for a constraint violation, or for a session that ended before the write. Constraints decide conflicts, also
 * between concurrent requests.
 */
export function errorForConstraint(error: unknown): Refusal | GraphQLError | null {
  if (codeOf(error) === SESSION_HAS_ENDED) return invalidToken();
  const constraint = constraintOf(error);
  return constraint ? (ERRORS[constraint]?.() ?? null) : null;
}

/** Whether the mutation may succeed when it is retried from the start. */
export const isRetryable = (error: unknown): boolean =>
  [DEADLOCK, SERIALIZATION_FAILURE].includes(codeOf(error)) || constraintOf(error) === 'articles_slug_unique';

const articleNotFound = () => new Refusal(new NotFoundError(ResourceKind.ARTICLE, ['input', 'article']));
const userNotFound = () => new Refusal(new NotFoundError(ResourceKind.USER, ['input', 'user']));

/** A missing user is the viewer, whose account was deleted in the meantime, unless the mutation names the user. */
const ERRORS: Record<string, () => Refusal | GraphQLError> = {
  users_username_unique: () => new Refusal(new TakenError(['input', 'username'])),
  users_email_unique: () => new Refusal(new TakenError(['input', 'email'])),
  follows_followed_id_foreign: userNotFound,
  favorites_article_id_foreign: articleNotFound,
  comments_article_id_foreign: articleNotFound,
  article_tags_article_id_foreign: articleNotFound,
  sessions_user_id_foreign: invalidToken,
  idempotency_keys_user_id_foreign: invalidToken,
  follows_follower_id_foreign: invalidToken,
  articles_author_id_foreign: invalidToken,
  favorites_user_id_foreign: invalidToken,
  comments_author_id_foreign: invalidToken,
};

/** By PostgreSQL's error code, because query builders do not throw MikroORM's exceptions. */
function constraintOf(error: unknown): string | null {
  const isViolation = [UNIQUE_VIOLATION, FOREIGN_KEY_VIOLATION].includes(codeOf(error));
  return isViolation ? String((error as { constraint?: string }).constraint) : null;
}

const codeOf = (error: unknown) => String((error as { code?: string } | null)?.code);

const FOREIGN_KEY_VIOLATION = '23503';
const UNIQUE_VIOLATION = '23505';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';
