import { unwrapResolverError } from '@apollo/server/errors';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLFormattedError, Kind } from 'graphql';
import { isTransientDatabaseError } from '../../database/database-errors.ts';
import { BadUserInput, QueryTooComplex, RETRY_AFTER, ServiceUnavailable } from '../../graphql/errors.ts';
import { OPERATION_LIMITS } from '../operations/operation-limits.ts';
import { RequestAborted } from './deadline.ts';

/** The error as clients see it. Codes are a closed list: any other error is logged in full and masked. */
export function formatError(given: GraphQLFormattedError, error: unknown, request?: FastifyRequest) {
  const [, maxTokens] = TOKEN_LIMIT_ERROR.exec(given.message) ?? [];
  const tooComplex = maxTokens
    ? new QueryTooComplex('tokens', Number(maxTokens))
    : isTooDeepToParse(given) && new QueryTooComplex('depth', OPERATION_LIMITS.depth);
  const formatted = tooComplex ? tooComplex.toJSON() : given;
  const { stacktrace: _stack, http: _http, ...extensions } = formatted.extensions ?? {};
  const code = isTooComplex(error)
    ? 'QUERY_TOO_COMPLEX'
    : (RENAMED_CODES[String(extensions.code)] ?? String(extensions.code));
  if (CLIENT_ERROR_CODES.has(code)) return { ...formatted, extensions: { ...extensions, code } };
  const cause = unwrapCause(error);
  if (isArgumentError(cause) || isRequestError(cause) || TOO_MANY_VARIABLE_ERRORS.test(formatted.message))
    return { ...formatted, extensions: { code: 'BAD_USER_INPUT' } };
  const { path, locations } = formatted;
  if (cause instanceof RequestAborted) return { ...(path && { path }), ...TIMED_OUT };
  if (isTransientDatabaseError(cause)) {
    const { message } = databaseUnavailable(cause, request, path);
    return { message, ...(path && { path }), extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true } };
  }
  request?.log.error({ err: cause, path }, 'Unhandled error');
  return { ...(locations && { locations }), ...(path && { path }), ...internalServerError(request) };
}

/** What a resolver threw, or the database error that failed session verification before any resolver ran (executor.ts). */
function unwrapCause(error: unknown): unknown {
  const cause = unwrapResolverError(error);
  return cause instanceof GraphQLError && isTransientDatabaseError(cause.originalError) ? cause.originalError : cause;
}

/** graphql-js also suggests names of the schema for errors in variables, where `hideSuggestions` has no effect. */
export function removeSuggestion(error: GraphQLFormattedError): GraphQLFormattedError {
  // Only the last one is GraphQL's; a client may have written any number before it.
  const at = error.message.endsWith('?') ? error.message.lastIndexOf(' Did you mean ') : -1;
  return at < 0 ? error : { ...error, message: error.message.slice(0, at) };
}

/** Messages quote the request, which may be very long. */
export function truncateMessage(error: GraphQLFormattedError): GraphQLFormattedError {
  if (error.message.length <= MAX_MESSAGE_LENGTH) return error;
  const message = error.message.replace(/([^\s"]{100})[^\s"]+/gu, '$1…');
  return {
    ...error,
    message: message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed()}…`,
  };
}

const MAX_MESSAGE_LENGTH = 1_000;

/** Hides the database error from clients and logs it. */
export function databaseUnavailable(cause: unknown, request?: FastifyRequest, path?: GraphQLFormattedError['path']) {
  request?.log.warn({ err: cause, ...(path && { path }) }, 'Database error');
  return new ServiceUnavailable('The database can not serve this just now.');
}

/** Fastify error handler, for requests that fail before GraphQL runs: the body is too large, or not JSON. */
export function sendHttpError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status < 500) {
    const shown = error instanceof GraphQLError ? error : new BadUserInput(error.message);
    return reply.code(status).send({ errors: [truncateMessage(formatError(shown.toJSON(), shown))] });
  }
  if (error instanceof RequestAborted) {
    reply.header('retry-after', RETRY_AFTER);
    return reply.code(503).send({ errors: [TIMED_OUT] });
  }
  request.log.error({ err: error }, 'Unhandled error');
  return reply.code(500).send({ errors: [internalServerError(request)] });
}

/** Fastify handler for requests that no route matches. */
export function rejectUnknownPath({ method, url }: FastifyRequest): never {
  const [path] = url.split('?', 1);
  throw Object.assign(new BadUserInput(`Nothing answers ${method} ${path}; GraphQL is at /graphql.`), {
    statusCode: 404,
  });
}

const TOKEN_LIMIT_ERROR = /^Syntax Error: Document contains more tha[nt] (\d+) tokens/;

/** The parser calls itself for each level, and can run out of stack before it has counted the tokens. */
const isTooDeepToParse = ({ message, extensions }: GraphQLFormattedError): boolean =>
  extensions?.code === 'GRAPHQL_PARSE_FAILED' && message === 'Maximum call stack size exceeded';

/** Validation overwrites the code of what its rules report. */
const isTooComplex = (error: unknown): boolean =>
  error instanceof GraphQLError && error.originalError instanceof QueryTooComplex;

/**
 * A null variable in a @oneOf input, or for a non-null argument with a default, is only detected during execution, and gets no
 * code. The error then points at the argument, not at the field.
 */
const isArgumentError = (cause: unknown): boolean =>
  cause instanceof GraphQLError && cause.nodes?.[0] !== undefined && cause.nodes[0].kind !== Kind.FIELD;

/** Apollo marks some client errors by their status alone, such as a document that does not match its hash. */
const isRequestError = (cause: unknown): boolean =>
  cause instanceof GraphQLError && (cause.extensions.http as { status?: number } | undefined)?.status === 400;

/** The last entry of a long list of variable errors, which has no code. */
const TOO_MANY_VARIABLE_ERRORS = /^Too many errors processing variables, error limit reached/;

const TIMED_OUT = {
  message: 'This took too long and was given up. What a mutation has done by then stays done.',
  extensions: { code: 'SERVICE_UNAVAILABLE', retryable: true },
};

const internalServerError = (request: FastifyRequest | undefined) => ({
  message: 'Internal server error',
  extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: request?.id },
});

const CLIENT_ERROR_CODES = new Set([
  'UNAUTHENTICATED',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'QUERY_TOO_COMPLEX',
  'RATE_LIMITED',
  'PERSISTED_QUERY_NOT_FOUND',
  'SERVICE_UNAVAILABLE',
]);

/** Apollo's codes for malformed requests. */
const RENAMED_CODES: Record<string, string> = {
  BAD_REQUEST: 'BAD_USER_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'BAD_USER_INPUT',
};
