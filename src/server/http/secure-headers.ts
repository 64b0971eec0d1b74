import type { FastifyInstance } from 'fastify';

/**
 * What browsers are told not to do with our answers: run them, frame them, take them for another type. The Playground, the
 * one answer that is a page, says itself what it may do.
 */
export function addSecureHeaders(server: FastifyInstance, { production }: HeaderSettings): void {
  const headers = { ...ALWAYS, ...(production && ONLY_OVER_TLS) };
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

const ALWAYS = {
  'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
};

/** Subdomains are for whoever owns them to decide about. */
const ONLY_OVER_TLS = { 'strict-transport-security': 'max-age=31536000' };

export interface HeaderSettings {
  readonly production: boolean;
}
