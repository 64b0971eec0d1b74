import { createHash } from 'node:crypto';
import type { ApolloServerPlugin, HTTPGraphQLHead } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FormattedExecutionResult } from 'graphql';
import { RETRY_AFTER } from '../../graphql/errors.ts';
import { currentRequest } from './current-request.ts';

/**
 * What HTTP says about an answer of GraphQL: its status by the rules of GraphQL over HTTP, and for how long whom it serves.
 * An answer that Apollo did not make (a body that is no JSON, a refused content type) keeps the status it has.
 */
export function addResponseHeaders(server: FastifyInstance, { guestCacheSeconds }: CacheSettings): void {
  server.addHook('onSend', (request, reply, payload, done) => done(null, described(request, reply, payload)));

  function described(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    const outcome = outcomes.get(request);
    // A client that knows only application/json takes 4xx for a broken proxy. It is told 200 and reads `errors`.
    if (outcome === 'failed' && reply.statusCode === 400 && isPlainJson(reply)) reply.code(200);
    if (request.method !== 'GET' || outcome !== 'answered' || typeof payload !== 'string') {
      reply.header('cache-control', 'no-store'); // answers to POST may hold tokens, errors may be gone in a second
      return payload;
    }
    const isGuest = request.headers.authorization === undefined;
    const forGuests = guestCacheSeconds ? `public, max-age=${guestCacheSeconds}` : 'public, no-cache';
    reply.header('cache-control', isGuest ? forGuests : 'private, no-cache');
    varyBy(reply, 'Authorization', 'Accept');
    return unlessKnown(payload, request, reply);
  }
}

export interface CacheSettings {
  /** How long caches between us and guests may answer without asking. 0: they ask every time, and mostly hear 304. */
  readonly guestCacheSeconds: number;
}

/** Remembers how a request ended, for the hook above. */
export const recordOutcome = (): ApolloServerPlugin => ({
  requestDidStart: async () => ({
    willSendResponse: async ({ request: { extensions }, source, response }) => {
      const { body } = response;
      const request = currentRequest.getStore();
      const failed = body.kind === 'single' && Boolean(body.singleResult.errors?.length);
      // With no document, and none named, it was no GraphQL request at all, and stays 400.
      if (request && (source || extensions?.persistedQuery)) outcomes.set(request, failed ? 'failed' : 'answered');
      if (failed) askToRetry(body.singleResult, response.http);
    },
  }),
});

/** A fault that passes says when to come again; it is the whole request's only when it left nothing of the answer. */
function askToRetry({ data, errors = [] }: FormattedExecutionResult, http: HTTPGraphQLHead): void {
  if (!errors.some(({ extensions }) => extensions?.code === 'SERVICE_UNAVAILABLE')) return;
  http.headers.set('retry-after', RETRY_AFTER);
  if (Object.values(data ?? {}).every((value) => value === null)) http.status = 503;
}

const outcomes = new WeakMap<FastifyRequest, 'answered' | 'failed'>();

const isPlainJson = (reply: FastifyReply) => String(reply.getHeader('content-type')).startsWith('application/json');

function varyBy(reply: FastifyReply, ...names: string[]): void {
  const already = reply.getHeader('vary');
  reply.header('vary', [already, ...names].filter(Boolean).join(', '));
}

/** The payload with its ETag; or 304 and nothing when the client says that it has it. */
function unlessKnown(payload: string, request: FastifyRequest, reply: FastifyReply): string {
  const etag = `"${createHash('sha256').update(payload).digest('base64url').slice(0, 27)}"`;
  reply.header('etag', etag);
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (!known?.some((tag) => tag === etag || tag === '*')) return payload;
  reply.code(304).removeHeader('content-length');
  return '';
}
