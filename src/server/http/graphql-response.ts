import type { ApolloServerPlugin, HTTPGraphQLHead } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FormattedExecutionResult } from 'graphql';
import { RETRY_AFTER } from '../../graphql/errors.ts';
import { type CacheSettings, cacheable, uncacheable } from './cache-headers.ts';
import { currentRequest } from './current-request.ts';

/**
 * Sets the status by the rules of GraphQL over HTTP, and the cache headers. Responses that Apollo did not produce (invalid
 * JSON, an unsupported content type) keep their status.
 */
export function addResponseHeaders(server: FastifyInstance, settings: CacheSettings): void {
  server.addHook('onSend', (request, reply, payload, done) => done(null, withHeaders(request, reply, payload)));

  function withHeaders(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    const outcome = outcomes.get(request);
    // Clients of application/json take 4xx for a proxy error; with 200 they read `errors`.
    if (outcome === 'failed' && reply.statusCode === 400 && isPlainJson(reply)) reply.code(200);
    const isCacheable = request.method !== 'POST' && outcome === 'succeeded';
    return isCacheable ? cacheable(request, reply, payload, settings) : uncacheable(reply, payload);
  }
}

/** Records whether the operation failed, for the hook above. */
export const recordOutcome = (): ApolloServerPlugin => ({
  requestDidStart: async () => ({
    willSendResponse: async ({ request: { extensions }, source, response }) => {
      const { body } = response;
      const request = currentRequest.getStore();
      const failed = body.kind === 'single' && Boolean(body.singleResult.errors?.length);
      // Without a document or its hash it was not a GraphQL request, and stays 400.
      if (request && (source || extensions?.persistedQuery)) outcomes.set(request, failed ? 'failed' : 'succeeded');
      if (failed) setRetryAfter(body.singleResult, response.http);
    },
  }),
});

/** The status is 503 only if no field has a result. */
function setRetryAfter({ data, errors = [] }: FormattedExecutionResult, http: HTTPGraphQLHead): void {
  if (!errors.some(({ extensions }) => extensions?.code === 'SERVICE_UNAVAILABLE')) return;
  http.headers.set('retry-after', RETRY_AFTER);
  if (Object.values(data ?? {}).every((value) => value === null)) http.status = 503;
}

const outcomes = new WeakMap<FastifyRequest, 'succeeded' | 'failed'>();

const isPlainJson = (reply: FastifyReply) => String(reply.getHeader('content-type')).startsWith('application/json');
