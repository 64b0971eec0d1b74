import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { RETRY_AFTER } from '../../graphql/errors.ts';
import { RequestAborted } from '../http/deadline.ts';
import { OVERLOADED_MESSAGE } from '../http/load-shedding.ts';

/** An error in RealWorld's form: texts by the name of what is wrong. */
export class RestError extends Error {
  constructor(
    readonly status: number,
    readonly errors: Readonly<Record<string, readonly string[]>>,
    readonly retryAfter?: string,
  ) {
    super(JSON.stringify(errors));
  }
}

export const restError = (status: number, key: string, text: string, retryAfter?: string): RestError =>
  new RestError(status, { [key]: [text] }, retryAfter);

export const TOKEN_IS_MISSING = restError(401, 'token', 'is missing');

/** The error for a resource that does not exist. */
export const notFound = (what: string): RestError => restError(404, what, 'not found');

/** The `errors` of a mutation's payload, in ErrorFields of schema/operations/fragments.graphql. */
export interface UserErrorFields {
  readonly __typename: keyof typeof STATUSES;
  readonly message: string;
  readonly path: readonly string[] | null;
  readonly resource?: keyof typeof RESOURCES;
}

/** The first error decides the status. */
export function fromUserErrors(errors: readonly UserErrorFields[]): RestError | null {
  const [first] = errors;
  if (!first) return null;
  const texts: Record<string, string[]> = {};
  for (const error of errors) texts[keyOf(error)] = [...(texts[keyOf(error)] ?? []), error.message];
  // 401 would say that the token is bad; a wrong password in a change of the account is a field like any other.
  const status = first.path && first.__typename === 'InvalidCredentialsError' ? 422 : STATUSES[first.__typename];
  return new RestError(status, texts);
}

const STATUSES = {
  ForbiddenError: 403,
  InvalidCredentialsError: 401,
  NotFoundError: 404,
  StaleVersionError: 409,
  TakenError: 409,
  ValidationError: 422,
};

const RESOURCES = { ARTICLE: 'article', COMMENT: 'comment', TAG: 'tag', USER: 'profile' };

function keyOf({ resource, path, __typename }: UserErrorFields): string {
  if (resource) return RESOURCES[resource];
  return path?.[1] ?? (__typename === 'InvalidCredentialsError' ? 'credentials' : 'request');
}

/** A top-level error of an operation, as formatError shows it. */
export function fromTopLevelError({ message, extensions = {} }: GraphQLFormattedError): RestError {
  switch (extensions.code) {
    case 'UNAUTHENTICATED':
      return restError(401, 'token', message);
    case 'RATE_LIMITED':
      return restError(429, 'request', message, String(extensions.retryAfter));
    case 'SERVICE_UNAVAILABLE':
      return restError(503, 'server', message, RETRY_AFTER);
    case 'INTERNAL_SERVER_ERROR':
      return restError(500, 'server', `${message}; its id is ${extensions.requestId}`);
    default: {
      const [, argument = '', problem = ''] = /\((first|offset):\) ([^.]*)/.exec(message) ?? [];
      return restError(422, PARAMETERS[argument] ?? 'request', problem || message);
    }
  }
}

/** The names of GraphQL's arguments in the query of a REST call. */
const PARAMETERS: Record<string, string> = { first: 'limit', offset: 'offset' };

/** Fastify error handler of the REST API. */
export function sendRestError(error: FastifyError | RestError, request: FastifyRequest, reply: FastifyReply) {
  const { status, errors, retryAfter } = toRestError(error, request);
  if (retryAfter) reply.header('retry-after', retryAfter);
  return reply.code(status).header('cache-control', 'no-store').send({ errors });
}

function toRestError(error: FastifyError | RestError, request: FastifyRequest): RestError {
  if (error instanceof RestError) return error;
  if (error instanceof RequestAborted) return restError(503, 'server', 'took too long', RETRY_AFTER);
  const { statusCode = 500, code } = error;
  if (code === 'FST_ERR_BAD_URL') return restError(400, 'path', 'is not encoded as an address must be');
  if (statusCode < 500) return restError(statusCode, KEYS[statusCode] ?? 'request', error.message.slice(0, 1_000));
  if (error instanceof GraphQLError) return fromTopLevelError(error.toJSON());
  request.log.error({ err: error }, 'Unhandled error');
  return restError(500, 'server', `Internal server error; its id is ${request.id}`);
}

/** The part of a request that is wrong, by the status that Fastify gives it. */
const KEYS: Record<number, string> = { 400: 'body', 404: 'path', 413: 'body', 415: 'content-type' };

export const OVERLOADED = JSON.stringify({ errors: { server: [OVERLOADED_MESSAGE] } });
