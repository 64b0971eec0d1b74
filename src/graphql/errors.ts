import { HeaderMap } from '@apollo/server';
import { unwrapResolverError } from '@apollo/server/errors';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLFormattedError, Kind } from 'graphql';
import { isTransientDatabaseError } from '../database/database-errors.ts';
import { GivenUp } from '../server/http/deadline.ts';

/**
 * Top-level errors: what no form can fix. Their codes are a closed list; whatever is not in it is a bug of ours, logged
 * whole and shown as "Internal server error" with the request's id. Errors as data are in user-errors.ts.
 */

export class BadUserInput extends GraphQLError {
  constructor(message: string) {
    super(message, { extensions: { code: 'BAD_USER_INPUT' } });
  }
}

/**
 * Refused before it is executed; but for `bytes`, which nobody knows before. How many tokens there are nobody knows at all: the
 * parser stops where there are too many.
 */
export class QueryTooComplex extends GraphQLError {
  constructor(limit: string, maximum: number, requested?: number) {
    super(`${limit}: the operation has ${requested ?? 'more'}; it must have at most ${maximum}.`, {
      extensions: { code: 'QUERY_TOO_COMPLEX', limit, requested, maximum, http: { status: 400 } },
    });
  }
}

/** `message` is RealWorld's: "is missing", or what is wrong with the token. */
export class Unauthenticated extends GraphQLError {
  constructor(message: string) {
    super(message, { extensions: { code: 'UNAUTHENTICATED' } });
  }
}

/** Too many tries; `retryAfter` and the header say in how many seconds there is another. */
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

/** Seconds. What can be tried again is over soon, or is noticed soon. */
export const RETRY_AFTER = '1';

const retryAfterHeader = (seconds: string) => new HeaderMap([['retry-after', seconds]]);

/** What a client sees of an error of GraphQL; the log sees all of it. */
export function shownError(given: GraphQLFormattedError, error: unknown, request?: FastifyRequest) {
  const [, mostTokens] = TOO_MANY_TOKENS.exec(given.message) ?? [];
  const formatted = mostTokens ? new QueryTooComplex('tokens', Number(mostTokens)).toJSON() : given;
  const { stacktrace: _stack, http: _http, ...extensions } = formatted.extensions ?? {};
  const code = isTooComplex(error)
    ? 'QUERY_TOO_COMPLEX'
    : (RENAMED[String(extensions.code)] ?? String(extensions.code));
  if (CODES.has(code)) return { ...formatted, extensions: { ...extensions, code } };
  const cause = causeOf(error);
  if (isFaultOfAnArgument(cause) || isFaultOfTheRequest(cause) || TOO_MANY_FAULTS.test(formatted.message))
    return { ...formatted, extensions: { code: 'BAD_USER_INPUT' } };
  const { path, locations } = formatted;
  if (cause instanceof GivenUp) return { ...(path && { path }), ...tookTooLong };
  if (isTransientDatabaseError(cause)) {
    const { message } = databaseUnavailable(cause, request, path);
    return { message, ...(path && { path }), extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } };
  }
  request?.log.error({ err: cause, path }, 'A request failed for a fault of ours');
  return { ...(locations && { locations }), ...(path && { path }), ...internal(request) };
}

/** What a resolver threw; or what the database had against looking who asks, before any resolver was (execution.ts). */
function causeOf(error: unknown): unknown {
  const cause = unwrapResolverError(error);
  return cause instanceof GraphQLError && isTransientDatabaseError(cause.originalError) ? cause.originalError : cause;
}

/** GraphQL suggests names of the schema also for what is wrong in a variable, where it can not be told not to. */
export function withoutSuggestion(shown: GraphQLFormattedError): GraphQLFormattedError {
  // The last one is GraphQL's; before it there may be any number of them that the client wrote.
  const at = shown.message.endsWith('?') ? shown.message.lastIndexOf(' Did you mean ') : -1;
  return at < 0 ? shown : { ...shown, message: shown.message.slice(0, at) };
}

/** A message says again what was wrong in the request, which may be as long as that: only how it begins is of use. */
export function inBrief(shown: GraphQLFormattedError): GraphQLFormattedError {
  if (shown.message.length <= LONGEST_MESSAGE) return shown;
  const message = shown.message.replace(/([^\s"]{100})[^\s"]+/gu, '$1…');
  return {
    ...shown,
    message: message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE).toWellFormed()}…`,
  };
}

const LONGEST_MESSAGE = 1_000;

/** What clients are told of a fault of the database; the log is told which. */
export function databaseUnavailable(cause: unknown, request?: FastifyRequest, path?: GraphQLFormattedError['path']) {
  request?.log.warn({ err: cause, ...(path && { path }) }, 'A request failed for a fault of the database');
  return new ServiceUnavailable('The database can not serve this just now.');
}

/** The same for what fails before GraphQL has a word in it: a body that is too large, or no JSON. */
export function shownHttpError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status < 500) {
    const shown = error instanceof GraphQLError ? error : new BadUserInput(error.message);
    return reply.code(status).send({ errors: [inBrief(shownError(shown.toJSON(), shown))] });
  }
  if (error instanceof GivenUp) {
    reply.header('retry-after', RETRY_AFTER);
    return reply.code(503).send({ errors: [tookTooLong] });
  }
  request.log.error({ err: error }, 'A request failed for a fault of ours');
  return reply.code(500).send({ errors: [internal(request)] });
}

const TOO_MANY_TOKENS = /^Syntax Error: Document contains more tha[nt] (\d+) tokens/;

/** Validation gives whatever it reports a code of its own. */
const isTooComplex = (error: unknown): boolean =>
  error instanceof GraphQLError && error.originalError instanceof QueryTooComplex;

/**
 * GraphQL notices only when it comes to use it that a variable is null where it must not be, in an input of exactly one
 * key or for a field with a default, and gives no code. What it points at is then the argument, not the field.
 */
const isFaultOfAnArgument = (cause: unknown): boolean =>
  cause instanceof GraphQLError && cause.nodes?.[0] !== undefined && cause.nodes[0].kind !== Kind.FIELD;

/** Apollo blames some faults of a request on it by a status alone: a document that is not what its name says. */
const isFaultOfTheRequest = (cause: unknown): boolean =>
  cause instanceof GraphQLError && (cause.extensions.http as { status?: number } | undefined)?.status === 400;

/** What ends the list of faults of variables, without a code. */
const TOO_MANY_FAULTS = /^Too many errors processing variables, error limit reached/;

const tookTooLong = {
  message: 'This took too long and was given up. What a mutation has done by then stays done.',
  extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true },
};

const internal = (request: FastifyRequest | undefined) => ({
  message: 'Internal server error',
  extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: request?.id },
});

const CODES = new Set([
  'UNAUTHENTICATED',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'QUERY_TOO_COMPLEX',
  'RATE_LIMITED',
  'PERSISTED_QUERY_NOT_FOUND',
  'SERVICE_UNAVAILABLE',
]);

/** Apollo's own codes for requests that make no sense. */
const RENAMED: Record<string, string> = {
  BAD_REQUEST: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'BAD_USER_INPUT',
};
