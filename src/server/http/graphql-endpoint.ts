import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { type ApolloServer, type BaseContext, HeaderMap, type HTTPGraphQLHead } from '@apollo/server';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BadUserInput, QueryTooComplex } from '../../graphql/errors.ts';
import { MAX_DOCUMENT_LENGTH } from '../operations/operation-limits.ts';
import { readDocumentId } from '../operations/persisted-documents.ts';
import type { CacheSettings } from './cache-headers.ts';
import { currentRequest } from './current-request.ts';
import { RESPONSE_COMPLETE, rejectOnAbort, startDeadline } from './deadline.ts';
import { sendHttpError } from './error-responses.ts';
import { addResponseHeaders } from './graphql-response.ts';
import { acceptOnlyJson, syncHook } from './json-body.ts';
import type { LoadShedder } from './load-shedding.ts';
import { preferredType, RESPONSE_TYPES } from './response-type.ts';

/** GraphQL over HTTP at /graphql: GET and HEAD for queries, POST for everything. */
export function addGraphqlEndpoint<C extends BaseContext>(server: FastifyInstance, parts: EndpointParts<C>): void {
  server.register(async (scope) => {
    parts.loadShedder.rejectWhenFull(scope);
    acceptOnlyJson(scope);
    scope.addHook('preHandler', syncHook(rejectUnacceptable));
    scope.addHook('preHandler', syncHook(dropEmptyParameters));
    scope.addHook('preHandler', syncHook(readDocumentId)); // rejects a malformed one
    scope.addHook('preHandler', syncHook(rejectLongDocuments));
    scope.setErrorHandler(sendErrorInAcceptedType);
    addResponseHeaders(scope, parts.cache);
    scope.route({
      url: '/graphql',
      method: ['GET', 'HEAD', 'POST'],
      handler: (request, reply) =>
        parts.loadShedder.run(reply, () => currentRequest.run(request, () => execute(request, reply, parts))),
    });
    scope.route({ url: '/graphql', method: ['PUT', 'PATCH', 'DELETE'], handler: rejectMethod });
  });
}

export interface EndpointParts<C extends BaseContext> {
  readonly apollo: ApolloServer<C>;
  readonly createContext: (request: FastifyRequest, signal: AbortSignal, authorization?: string) => Promise<C>;
  readonly cache: CacheSettings;
  readonly loadShedder: LoadShedder;
  readonly requestTimeoutSeconds: number;
}

async function execute<C extends BaseContext>(request: FastifyRequest, reply: FastifyReply, parts: EndpointParts<C>) {
  const deadline = startDeadline(reply, parts.requestTimeoutSeconds);
  const response = parts.apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: request.method === 'HEAD' ? 'GET' : request.method, // Node leaves out the body
      headers: headerMap(request.headers),
      search: searchOf(request),
      body: request.body,
    },
    context: () => parts.createContext(request, deadline.signal, request.headers.authorization),
  });
  const { headers, body, status } = await rejectOnAbort(deadline.signal, response).finally(() =>
    deadline.abort(RESPONSE_COMPLETE),
  );
  setHead(reply, { headers, ...(status && { status }) });
  return reply.send(body.kind === 'complete' ? body.string : Readable.from(body.asyncIterator));
}

function setHead(reply: FastifyReply, { status = 200, headers }: HTTPGraphQLHead): void {
  reply.code(status);
  for (const [name, value] of headers) reply.header(name, value);
}

function headerMap(headers: IncomingHttpHeaders): HeaderMap {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) if (value) map.set(name, String(value));
  map.set('accept', preferredType(headers.accept) ?? ''); // Apollo compares types without their parameters
  return map;
}

/** The parameters of a GET. Fastify reads one that is given twice as a list; Apollo rejects it. */
function searchOf({ query }: FastifyRequest): string {
  const pairs = Object.entries(query as Record<string, string | string[]>);
  const search = new URLSearchParams();
  for (const [name, values] of pairs) for (const value of [values].flat()) search.append(name, value);
  return `?${search}`;
}

/** Clients with nothing to send may send "" (GraphiQL's `operationName` and `variables`, a form's empty fields). */
function dropEmptyParameters(request: FastifyRequest): void {
  const parameters = (request.method === 'POST' ? request.body : request.query) as Record<string, unknown> | null;
  if (typeof parameters !== 'object' || parameters === null) return;
  for (const name of OPTIONAL_PARAMETERS) if (parameters[name] === '') delete parameters[name];
  if (request.method === 'POST') return; // null is absent already
  for (const name of JSON_PARAMETERS) if (parameters[name] === 'null') delete parameters[name];
}

const OPTIONAL_PARAMETERS = ['query', 'operationName', 'variables', 'extensions', 'documentId'];
const JSON_PARAMETERS = ['variables', 'extensions'];

/** Runs before parsing. Long values belong in variables. */
function rejectLongDocuments({ body }: FastifyRequest): void {
  const { query } = (body ?? {}) as { query?: unknown };
  if (typeof query !== 'string' || query.length <= MAX_DOCUMENT_LENGTH) return;
  throw Object.assign(new QueryTooComplex('characters', MAX_DOCUMENT_LENGTH, query.length), { statusCode: 413 });
}

/** Runs before execution: a client that cannot read the response would repeat a mutation that was done. */
function rejectUnacceptable({ headers: { accept } }: FastifyRequest): void {
  if (preferredType(accept)) return;
  const wanted = `it must allow ${RESPONSE_TYPES.join(' or ')} in UTF-8`;
  throw Object.assign(new BadUserInput(`The accept header is "${accept}"; ${wanted}.`), { statusCode: 406 });
}

function rejectMethod({ method }: FastifyRequest, reply: FastifyReply): never {
  reply.header('allow', 'GET, HEAD, POST');
  throw Object.assign(new BadUserInput(`The method is ${method}; it must be GET or POST.`), { statusCode: 405 });
}

function sendErrorInAcceptedType(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  reply.type(`${preferredType(request.headers.accept) ?? RESPONSE_TYPES[0]}; charset=utf-8`);
  return sendHttpError(error, request, reply);
}
