import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasToken } from '../../auth/context.ts';

export interface CacheSettings {
  /** How long shared caches may serve guests without revalidation. 0: they revalidate every time, and mostly get 304. */
  readonly guestCacheSeconds: number;
}

/** The payload of a successful read, with its cache headers. It is null with 304 if the client has it already. */
export function cacheable(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  { guestCacheSeconds }: CacheSettings,
): unknown {
  if (typeof payload !== 'string') return uncacheable(reply, payload);
  const isGuest = !hasToken(request.headers.authorization);
  const forGuests = guestCacheSeconds ? `public, max-age=${guestCacheSeconds}` : 'public, no-cache';
  reply.header('cache-control', isGuest ? forGuests : 'private, no-cache');
  varyBy(reply, 'Authorization', 'Accept');
  return withETag(payload, request, reply);
}

/** The payload of anything else: responses to writes may contain tokens, and errors may be transient. */
export function uncacheable(reply: FastifyReply, payload: unknown): unknown {
  reply.header('cache-control', 'no-store');
  return payload;
}

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
