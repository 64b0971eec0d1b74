import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Origins whose pages may read responses: a list, any (`*`), or any server and app on this machine. */
export type AllowedOrigins = readonly string[] | '*' | 'this machine';

/** Without credentials: sign-in uses a header, not a cookie, so pages of other origins cannot use it. */
export async function addCors(server: FastifyInstance, allowed: AllowedOrigins): Promise<void> {
  await server.register(cors, {
    origin: allowed === '*' ? '*' : allowed === 'this machine' ? THIS_MACHINE : [...allowed],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    exposedHeaders: ['ETag', 'Retry-After', 'X-Request-Id'],
    strictPreflight: false, // OPTIONS that is no preflight gets the same response, not an error as plain text
    maxAge: 7200, // Chromium's maximum; every preflight is a round trip
  });
}

/** Browsers resolve names that end in .localhost to this machine. Apps have schemes of their own. */
const THIS_MACHINE =
  /^(https?:\/\/([\w-]+\.)*localhost|https?:\/\/(127\.0\.0\.1|\[::1\])|(capacitor|ionic|tauri):\/\/localhost)(:\d+)?$/;
