import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { getIntrospectionQuery } from 'graphql';
import { prefersPage } from '../http/response-type.ts';
import { publishedOperations } from '../operations/published-operations.ts';
import { playgroundAssets } from './assets.ts';
import { playgroundPage } from './page.ts';
import { playgroundTabs } from './tabs.ts';

/**
 * The Playground: at /playground, and at /graphql for requests that prefer HTML. All assets are served from here. Returns
 * the documents it sends, which are trusted like published ones.
 */
export function addPlayground(server: FastifyInstance): string[] {
  const tabs = playgroundTabs(publishedOperations());

  async function page(_request: FastifyRequest, reply: FastifyReply) {
    const nonce = randomBytes(16).toString('base64');
    const html = playgroundPage(await playgroundAssets(), { tabs, nonce, introspection: INTROSPECTION });
    reply.headers({
      'content-security-policy': policy(nonce),
      'cache-control': 'no-store', // a cached page would reuse its nonce
      vary: 'Accept',
    });
    return reply.type('text/html; charset=utf-8').send(html);
  }

  server.get('/playground', page);
  server.get('/playground/:file', async (request, reply) => {
    const asset = Object.values(await playgroundAssets()).find(({ url }) => url === request.url);
    if (!asset) return reply.callNotFound();
    reply.headers({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-encoding': 'gzip',
    });
    return reply.type(asset.type).send(asset.gzipped);
  });
  server.addHook('onRequest', (request, reply, done) => {
    const acceptsPage =
      READS.has(request.method) && request.routeOptions.url === '/graphql' && prefersPage(request.headers.accept);
    if (acceptsPage) page(request, reply).catch(done);
    else done();
  });
  return [INTROSPECTION, ...tabs.map(({ query }) => query)];
}

const INTROSPECTION = getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true, specifiedByUrl: true });

const READS = new Set(['GET', 'HEAD']);

/**
 * Nothing from other hosts, and only scripts with the nonce. The editor positions lines with style attributes, which cannot
 * carry a nonce, but can only change the appearance.
 */
const policy = (nonce: string) =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src-elem 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "worker-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
