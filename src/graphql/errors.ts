import { HeaderMap } from '@apollo/server';
import { GraphQLError } from 'graphql';

/**
 * Top-level errors, for what the end user cannot correct; errors as data are in user-errors.ts. Any other error is a bug:
 * error-responses.ts logs it and masks it as "Internal server error".
 */

export class BadUserInput extends GraphQLError {
  constructor(message: string) {
    super(message, { extensions: { code: 'BAD_USER_INPUT' } });
  }
}

/**
 * Thrown before execution, except for `bytes`, which are only known afterwards. For `tokens` the number requested is unknown,
 * because the parser stops at the limit.
 */
export class QueryTooComplex extends GraphQLError {
  constructor(limit: string, maximum: number, requested?: number) {
    super(`${limit}: the operation has ${requested ?? 'more'}; it must have at most ${maximum}.`, {
      extensions: { code: 'QUERY_TOO_COMPLEX', limit, requested, maximum, http: { status: 400 } },
    });
  }
}

/**
 * `message` is RealWorld's: "is missing", or why the token is invalid. `sentence` says it with its subject; the messages of all
 * other errors are sentences.
 */
export class Unauthenticated extends GraphQLError {
  constructor(message: string, sentence: string) {
    super(message, { extensions: { code: 'UNAUTHENTICATED', sentence } });
  }
}

/** Too many attempts; `retryAfter` and the header give the seconds until the next one is allowed. */
export class RateLimited extends GraphQLError {
  constructor(retryAfter: number) {
    super(`Too many tries; there is another in ${retryAfter} s.`, {
      extensions: {
        code: 'RATE_LIMITED',
        retryAfter,
        http: { status: 429, headers: retryAfterHeader(String(retryAfter)) },
      },
    });
  }
}

export class ServiceUnavailable extends GraphQLError {
  constructor(message: string) {
    const http = { status: 503, headers: retryAfterHeader(RETRY_AFTER) };
    super(message, { extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true, http } });
  }
}

/** Seconds. Retryable conditions end, or are detected, quickly. */
export const RETRY_AFTER = '1';

const retryAfterHeader = (seconds: string) => new HeaderMap([['retry-after', seconds]]);
