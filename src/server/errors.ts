import { unwrapResolverError } from '@apollo/server/errors';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLFormattedError, Kind } from 'graphql';
import { isDatabaseFault } from '../database/faults.ts';

/**
 * Top-level errors: what no form can fix. Their codes are a closed list; whatever is not in it is a bug of ours, logged
 * whole and shown as "Internal server error" with the request's id. Errors as data are in user-errors.ts.
 */

export class BadUserInput extends GraphQLError {
  constructor(message: string) {
    super(message, { extensions: { code: 'BAD_USER_INPUT' } });
  }
}

/** `message` is RealWorld's: "is missing", or what is wrong with the token. */
export class Unauthenticated extends GraphQLError {
  constructor(message: string) {
    super(message, { extensions: { code: 'UNAUTHENTICATED' } });
  }
}

export class ServiceUnavailable extends GraphQLError {
  constructor(message: string) {
    super(message, { extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true, http: { status: 503 } } });
  }
}

/** What a client sees of an error of GraphQL; the log sees all of it. */
export function shownError(formatted: GraphQLFormattedError, error: unknown, request?: FastifyRequest) {
  const { stacktrace: _stack, http: _http, ...extensions } = formatted.extensions ?? {};
  const code = RENAMED[String(extensions.code)] ?? String(extensions.code);
  if (CODES.has(code)) return { ...formatted, extensions: { ...extensions, code } };
  const cause = unwrapResolverError(error);
  if (isFaultOfAnArgument(cause)) return { ...formatted, extensions: { code: 'BAD_USER_INPUT' } };
  const { path, locations } = formatted;
  if (isDatabaseFault(cause)) {
    request?.log.warn({ err: cause, path }, 'A request failed for a fault of the database');
    return { ...(path && { path }), ...unavailable };
  }
  request?.log.error({ err: cause, path }, 'A request failed for a fault of ours');
  return { ...(locations && { locations }), ...(path && { path }), ...internal(request) };
}

/** The same for what fails before GraphQL has a word in it: a body that is too large, or no JSON. */
export function shownHttpError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status < 500) {
    return reply.code(status).send({ errors: [{ message: error.message, extensions: { code: 'BAD_USER_INPUT' } }] });
  }
  request.log.error({ err: error }, 'A request failed for a fault of ours');
  return reply.code(500).send({ errors: [internal(request)] });
}

/**
 * GraphQL notices only when it comes to use it that a variable is null where it must not be, in an input of exactly one
 * key or for a field with a default, and gives no code. What it points at is then the argument, not the field.
 */
const isFaultOfAnArgument = (cause: unknown): boolean =>
  cause instanceof GraphQLError && cause.nodes?.[0] !== undefined && cause.nodes[0].kind !== Kind.FIELD;

const unavailable = {
  message: 'The database can not serve this just now.',
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
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'SERVICE_UNAVAILABLE',
]);

/** Apollo's own codes for requests that make no sense. */
const RENAMED: Record<string, string> = {
  BAD_REQUEST: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'BAD_USER_INPUT',
};
