import type { GraphQLError } from 'graphql';
import { Unauthenticated } from '../../graphql/errors.ts';
import { NotFoundError, Refusal, ResourceKind, TakenError } from '../../graphql/user-errors.ts';

/**
 * What a broken constraint means to the one who broke it. The database decides, also between two who come at once; this is
 * the one place that puts its decision into words.
 */
export function errorForConstraint(error: unknown): Refusal | GraphQLError | null {
  const constraint = constraintOf(error);
  return constraint ? (MEANINGS[constraint]?.() ?? null) : null;
}

/** Whether the same mutation may well succeed when it is done again from the start. */
export const isRetryable = (error: unknown): boolean =>
  [DEADLOCK, SERIALIZATION_FAILURE].includes(codeOf(error)) || constraintOf(error) === 'articles_slug_unique';

const articleIsGone = () => new Refusal(new NotFoundError(ResourceKind.ARTICLE, ['input', 'article']));
const userIsGone = () => new Refusal(new NotFoundError(ResourceKind.USER, ['input', 'user']));
const viewerIsGone = () => new Unauthenticated('is invalid or has expired');

const MEANINGS: Record<string, () => Refusal | GraphQLError> = {
  users_username_unique: () => new Refusal(new TakenError(['input', 'username'])),
  users_email_unique: () => new Refusal(new TakenError(['input', 'email'])),
  follows_followed_id_foreign: userIsGone,
  favorites_article_id_foreign: articleIsGone,
  comments_article_id_foreign: articleIsGone,
  article_tags_article_id_foreign: articleIsGone,
  sessions_user_id_foreign: viewerIsGone,
  follows_follower_id_foreign: viewerIsGone,
  articles_author_id_foreign: viewerIsGone,
  favorites_user_id_foreign: viewerIsGone,
  comments_author_id_foreign: viewerIsGone,
};

/** Told by PostgreSQL's code: what a query builder throws is not one of MikroORM's exceptions. */
function constraintOf(error: unknown): string | null {
  const broken = [UNIQUE_VIOLATION, FOREIGN_KEY_VIOLATION].includes(codeOf(error));
  return broken ? String((error as { constraint?: string }).constraint) : null;
}

const codeOf = (error: unknown) => String((error as { code?: string } | null)?.code);

const FOREIGN_KEY_VIOLATION = '23503';
const UNIQUE_VIOLATION = '23505';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';
