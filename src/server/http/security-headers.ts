import type { FastifyInstance } from 'fastify';

/** Keeps browsers from running, framing or sniffing responses. The Playground, the only page, sets its own policy. */
export function addSecurityHeaders(server: FastifyInstance, { production }: HeaderSettings): void {
  const headers = { ...ALWAYS, ...(production && HSTS) };
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

/** Without includeSubDomains, which is the decision of the owner of the domain. */
const HSTS = { 'strict-transport-security': 'max-age=31536000' };

export interface HeaderSettings {
  readonly production: boolean;
}
