import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Whose pages may read our answers: those of these origins, of any origin (`*`), or of any server on this machine. */
export type AllowedOrigins = readonly string[] | '*' | 'this machine';

/** Cookies are never asked for: who signs in sends a header, which a page of another origin can not borrow. */
export async function addCors(server: FastifyInstance, allowed: AllowedOrigins): Promise<void> {
  await server.register(cors, {
    origin: allowed === '*' ? '*' : allowed === 'this machine' ? THIS_MACHINE : [...allowed],
    methods: ['GET', 'POST'],
    exposedHeaders: ['ETag', 'Retry-After', 'X-Request-Id'],
    maxAge: 7200, // the longest that Chromium keeps to; every preflight is a round trip
  });
}

const THIS_MACHINE = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
