import type { Server } from 'node:http';
import type { FastifyHttpOptions, FastifyInstance } from 'fastify';
import { BadUserInput } from '../../graphql/errors.ts';

/** Timeouts of connections, and the proxies whose X-Forwarded-For is trusted. */
export const connectionLimits = ({ trustProxy }: ConnectionSettings) =>
  ({
    trustProxy,
    // For the whole request, against clients that send it slowly.
    requestTimeout: 15_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000, maxHeaderSize: 16_384 },
    // For an idle connection, such as of a client that does not read the response.
    connectionTimeout: 30_000,
    keepAliveTimeout: 72_000, // longer than the usual 60 s of proxies: the server must not close first
  }) satisfies FastifyHttpOptions<Server>;

/** Node accepts two Host headers and uses one; a proxy in front may use the other (RFC 9112, 3.2). */
export function rejectMultipleHosts(server: FastifyInstance): void {
  server.addHook('onRequest', ({ raw: { rawHeaders } }, _reply, done) => {
    const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
    if (hosts < 2) return done();
    const error = new BadUserInput(`There are ${hosts} Host headers; there must be one.`);
    done(Object.assign(error, { statusCode: 400 }));
  });
}

export interface ConnectionSettings {
  readonly trustProxy: string[];
  /** Connections beyond it are closed at once. */
  readonly maxConnections: number;
  readonly requestTimeoutSeconds: number;
}
