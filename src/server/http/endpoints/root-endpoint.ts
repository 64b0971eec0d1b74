import type { FastifyInstance } from 'fastify';
import { varyBy } from '../cache-headers.ts';
import { prefersPage } from '../response-type.ts';

/** GET /: leads browsers to the Playground, and lists the addresses of this server for other clients. */
export function addRootEndpoint(server: FastifyInstance, { playground, introspection, rest }: RootSettings): void {
  const addresses = {
    graphql: '/graphql',
    ...(rest && { rest: '/api/openapi.json' }),
    ...(playground && { playground: '/playground' }),
    ...(introspection && { schema: '/schema.graphql' }),
    version: '/version',
    health: '/healthz',
    readiness: '/readyz',
  };
  server.get('/', (request, reply) => {
    varyBy(reply, 'Accept');
    reply.header('cache-control', 'no-cache');
    return playground && prefersPage(request.headers.accept) ? reply.redirect('/playground') : addresses;
  });
}

export interface RootSettings {
  readonly playground: boolean;
  /** Whether RealWorld's REST API is served. */
  readonly rest: boolean;
  /** Whether the schema is exposed: by introspection, at /schema.graphql, and in suggestions of error messages. */
  readonly introspection: boolean;
}
