import {
  DeadlockException,
  type DriverException,
  ForeignKeyConstraintViolationException,
  UniqueConstraintViolationException,
} from '@mikro-orm/core';
import type { GraphQLError } from 'graphql';
import { Unauthenticated } from '../server/errors.ts';
import { NotFoundError, Refusal, ResourceKind, TakenError } from '../server/user-errors.ts';

/**
 * What a broken constraint means to the one who broke it. The database decides, also between two who come at once; this is
 * the one place that puts its decision into words.
 */
export function meaningOf(error: unknown): Refusal | GraphQLError | null {
  const constraint = constraintOf(error);
  return constraint ? (MEANINGS[constraint]?.() ?? null) : null;
}

/** Whether the same mutation may well succeed when it is done again from the start. */
export const isWorthRetrying = (error: unknown): boolean =>
  error instanceof DeadlockException ||
  codeOf(error) === SERIALIZATION_FAILURE ||
  constraintOf(error) === 'articles_slug_unique';

const articleIsGone = () => new Refusal(new NotFoundError(ResourceKind.ARTICLE));
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

function constraintOf(error: unknown): string | null {
  const broken =
    error instanceof UniqueConstraintViolationException || error instanceof ForeignKeyConstraintViolationException;
  return broken ? String((error as DriverException & { constraint?: string }).constraint) : null;
}

const codeOf = (error: unknown) => (error as { code?: string } | null)?.code;

const SERIALIZATION_FAILURE = '40001';
