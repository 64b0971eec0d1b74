import type { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { type ApolloServer, HeaderMap, type HTTPGraphQLHead } from '@apollo/server';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from './context.ts';
import { BadUserInput, shownHttpError } from './errors.ts';
import { type CacheSettings, describeAnswersInHttp } from './http-answers.ts';

/** GraphQL over HTTP at /graphql: GET for queries, POST for everything. */
export function addGraphqlEndpoint(server: FastifyInstance, parts: EndpointParts): void {
  server.register(async (scope) => {
    scope.removeContentTypeParser('text/plain'); // JSON alone, so that no form of another site can post to us
    scope.addHook('onRequest', refuseOtherCharsets);
    scope.setErrorHandler(shownInTheTypeAskedFor);
    describeAnswersInHttp(scope, parts.cache);
    scope.route({
      url: '/graphql',
      method: ['GET', 'POST'],
      handler: (request, reply) => parts.requests.run(request, () => answer(request, reply, parts)),
    });
    scope.route({ url: '/graphql', method: ['PUT', 'PATCH', 'DELETE'], handler: refuseMethod });
  });
}

export interface EndpointParts {
  readonly apollo: ApolloServer<Context>;
  /** Tells what Apollo calls (plugins, formatError) whose request they are working on. */
  readonly requests: AsyncLocalStorage<FastifyRequest>;
  readonly contextOf: (request: FastifyRequest) => Promise<Context>;
  readonly cache: CacheSettings;
}

async function answer(request: FastifyRequest, reply: FastifyReply, { apollo, contextOf }: EndpointParts) {
  const { headers, body, status } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: request.method,
      headers: headerMap(request.headers),
      search: searchOf(request.url),
      body: request.body,
    },
    context: () => contextOf(request),
  });
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

/** JSON is UTF-8 (RFC 8259). Read as anything else, the same bytes would be another document than a proxy saw. */
async function refuseOtherCharsets({ headers }: FastifyRequest): Promise<void> {
  const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '') ?? [];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return;
  throw Object.assign(new BadUserInput(`The charset of the body is "${charset}"; it must be utf-8.`), {
    statusCode: 415,
  });
}

function refuseMethod({ method }: FastifyRequest, reply: FastifyReply): never {
  reply.header('allow', 'GET, POST');
  throw Object.assign(new BadUserInput(`The method is ${method}; it must be GET or POST.`), { statusCode: 405 });
}

function shownInTheTypeAskedFor(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  const wanted = request.headers.accept?.includes('application/graphql-response+json');
  reply.type(`application/${wanted ? 'graphql-response+json' : 'json'}; charset=utf-8`);
  return shownHttpError(error, request, reply);
}
