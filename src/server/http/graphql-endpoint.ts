import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { type ApolloServer, type BaseContext, HeaderMap, type HTTPGraphQLHead } from '@apollo/server';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { BadUserInput, QueryTooComplex } from '../../graphql/errors.ts';
import { MAX_DOCUMENT_LENGTH } from '../operations/operation-limits.ts';
import { readDocumentId } from '../operations/persisted-documents.ts';
import { currentRequest } from './current-request.ts';
import { ANSWERED, before, deadlineFor } from './deadline.ts';
import { sendHttpError } from './error-responses.ts';
import { addResponseHeaders, type CacheSettings } from './graphql-response.ts';
import type { LoadShedder } from './load-shedding.ts';
import { limitUnreadResponses } from './slow-consumers.ts';

/** GraphQL over HTTP at /graphql: GET for queries, POST for everything. */
export function addGraphqlEndpoint<C extends BaseContext>(server: FastifyInstance, parts: EndpointParts<C>): void {
  server.register(async (scope) => {
    parts.loadShedder.rejectWhenFull(scope);
    scope.removeContentTypeParser('text/plain'); // JSON alone, so that no form of another site can post to us
    readUtf8Alone(scope);
    scope.addHook('onRequest', unlessThrown(refuseOtherCharsets));
    scope.addHook('onRequest', unlessThrown(refuseEncodings));
    scope.addHook('preHandler', unlessThrown(refuseOtherAnswers));
    scope.addHook('preHandler', unlessThrown(readDocumentId)); // refuses a malformed one
    scope.addHook('preHandler', unlessThrown(refuseLongDocuments));
    scope.setErrorHandler(shownInTheTypeAskedFor);
    addResponseHeaders(scope, parts.cache);
    limitUnreadResponses(scope);
    scope.route({
      url: '/graphql',
      method: ['GET', 'POST'],
      handler: (request, reply) =>
        parts.loadShedder.run(reply, () => currentRequest.run(request, () => answer(request, reply, parts))),
    });
    scope.route({ url: '/graphql', method: ['PUT', 'PATCH', 'DELETE'], handler: refuseMethod });
  });
}

export interface EndpointParts<C extends BaseContext> {
  readonly apollo: ApolloServer<C>;
  readonly contextOf: (request: FastifyRequest, signal: AbortSignal) => Promise<C>;
  readonly cache: CacheSettings;
  readonly loadShedder: LoadShedder;
  readonly requestTimeoutSeconds: number;
}

async function answer<C extends BaseContext>(request: FastifyRequest, reply: FastifyReply, parts: EndpointParts<C>) {
  const work = deadlineFor(reply, parts.requestTimeoutSeconds);
  const answered = parts.apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: request.method,
      headers: headerMap(request.headers),
      search: searchOf(request.url),
      body: request.body,
    },
    context: () => parts.contextOf(request, work.signal),
  });
  const { headers, body, status } = await before(work.signal, answered).finally(() => work.abort(ANSWERED));
  describe(reply, { headers, ...(status && { status }) });
  return reply.send(body.kind === 'complete' ? body.string : Readable.from(body.asyncIterator));
}

function describe(reply: FastifyReply, { status = 200, headers }: HTTPGraphQLHead): void {
  reply.code(status);
  for (const [name, value] of headers) reply.header(name, value);
}

function headerMap(headers: IncomingHttpHeaders): HeaderMap {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) if (value) map.set(name, String(value));
  return map;
}

const searchOf = (url: string) => (url.includes('?') ? url.slice(url.indexOf('?')) : '');

/** A check as a hook that makes no promise: each would be a turn in the queue, of every request. */
const unlessThrown =
  (check: (request: FastifyRequest) => unknown) =>
  (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    let fault: Error | undefined;
    try {
      check(request);
    } catch (error) {
      fault = error as Error;
    }
    done(fault);
  };

/** JSON is UTF-8 (RFC 8259). Read as anything else, the same bytes would be another document than a proxy saw. */
function refuseOtherCharsets({ headers }: FastifyRequest): void {
  const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '') ?? [];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return;
  throw Object.assign(new BadUserInput(`The charset of the body is "${charset}"; it must be utf-8.`), {
    statusCode: 415,
  });
}

/** Bytes that are no UTF-8 would be read, and stored, as something else than was sent. */
function readUtf8Alone(scope: FastifyInstance): void {
  const readJson = scope.getDefaultJsonParser('error', 'error');
  scope.removeContentTypeParser('application/json');
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (isUtf8(body)) readJson(request, body.toString(), done);
    else done(Object.assign(new BadUserInput('The body is not in UTF-8; it must be.'), { statusCode: 400 }));
  });
}

/** A small body can be a huge one, compressed; and what is not, but says so, a proxy would have read as something else. */
function refuseEncodings({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || /^(identity)?$/i.test(encoding)) return;
  throw Object.assign(new BadUserInput(`The encoding of the body is "${encoding}"; it must not be compressed.`), {
    statusCode: 415,
  });
}

/** Before it is parsed. What is long in a request belongs into its variables. */
function refuseLongDocuments({ body }: FastifyRequest): void {
  const { query } = (body ?? {}) as { query?: unknown };
  if (typeof query !== 'string' || query.length <= MAX_DOCUMENT_LENGTH) return;
  throw Object.assign(new QueryTooComplex('characters', MAX_DOCUMENT_LENGTH, query.length), { statusCode: 413 });
}

/** Before anything is done: who can not read the answer would take a mutation for not done, and send it again. */
function refuseOtherAnswers({ headers }: FastifyRequest): void {
  const { accept = '*/*' } = headers;
  if (accept === '*/*' || new Negotiator({ headers }).mediaType(ANSWERS)) return;
  const wanted = `it must allow ${ANSWERS.join(' or ')}`;
  throw Object.assign(new BadUserInput(`The accept header is "${headers.accept}"; ${wanted}.`), { statusCode: 406 });
}

const ANSWERS = ['application/json', 'application/graphql-response+json'];

function refuseMethod({ method }: FastifyRequest, reply: FastifyReply): never {
  reply.header('allow', 'GET, POST');
  throw Object.assign(new BadUserInput(`The method is ${method}; it must be GET or POST.`), { statusCode: 405 });
}

function shownInTheTypeAskedFor(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const wanted = request.headers.accept?.includes('application/graphql-response+json');
  reply.type(`application/${wanted ? 'graphql-response+json' : 'json'}; charset=utf-8`);
  return sendHttpError(error, request, reply);
}
