import { createHash } from 'node:crypto';
import type { ApolloServerPlugin, HTTPGraphQLHead } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FormattedExecutionResult } from 'graphql';
import { hasToken } from '../../auth/context.ts';
import { RETRY_AFTER } from '../../graphql/errors.ts';
import { currentRequest } from './current-request.ts';

/**
 * Sets the status by the rules of GraphQL over HTTP, and the cache headers. Responses that Apollo did not produce (invalid
 * JSON, an unsupported content type) keep their status.
 */
export function addResponseHeaders(server: FastifyInstance, { guestCacheSeconds }: CacheSettings): void {
  server.addHook('onSend', (request, reply, payload, done) => done(null, withHeaders(request, reply, payload)));

  function withHeaders(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    const outcome = outcomes.get(request);
    // Clients of application/json take 4xx for a proxy error; with 200 they read `errors`.
    if (outcome === 'failed' && reply.statusCode === 400 && isPlainJson(reply)) reply.code(200);
    if (request.method === 'POST' || outcome !== 'succeeded' || typeof payload !== 'string') {
      reply.header('cache-control', 'no-store'); // POST responses may contain tokens; errors may be transient
      return payload;
    }
    const isGuest = !hasToken(request.headers.authorization);
    const forGuests = guestCacheSeconds ? `public, max-age=${guestCacheSeconds}` : 'public, no-cache';
    reply.header('cache-control', isGuest ? forGuests : 'private, no-cache');
    varyBy(reply, 'Authorization', 'Accept');
    return withETag(payload, request, reply);
  }
}

export interface CacheSettings {
  /** How long shared caches may serve guests without revalidation. 0: they revalidate every time, and mostly get 304. */
  readonly guestCacheSeconds: number;
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

export function varyBy(reply: FastifyReply, ...names: string[]): void {
  const current = reply.getHeader('vary');
  reply.header('vary', [current, ...names].filter(Boolean).join(', '));
}

/** Sets the ETag; the payload is null with 304 if the client has it already. */
function withETag(payload: string, request: FastifyRequest, reply: FastifyReply): string | null {
  const etag = `"${createHash('sha256').update(payload).digest('base64url').slice(0, 27)}"`;
  reply.header('etag', etag);
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (!known?.some((tag) => tag === etag || tag === '*')) return payload;
  reply.code(304).removeHeader('content-length');
  return null;
}
