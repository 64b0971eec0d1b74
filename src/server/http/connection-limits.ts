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

/**
 * Warns once when a peer that TRUST_PROXY does not name forwards requests. If it is a proxy, all of its clients share the
 * limits of one address, and a few wrong passwords of one lock out the others.
 */
export function warnOfUnnamedProxy(server: FastifyInstance): void {
  let isWarned = false;
  server.addHook('onRequest', (request, _reply, done) => {
    // `ips` has the peer, and what trusted ones forwarded.
    if (!isWarned && request.headers['x-forwarded-for'] && request.ips?.length === 1) {
      isWarned = true;
      request.log.warn(
        `X-Forwarded-For is ignored, because TRUST_PROXY does not name ${request.ip}. If that is the address of your proxy, name it: its clients share the rate limits of one address.`,
      );
    }
    done();
  });
}

export interface ConnectionSettings {
  readonly trustProxy: string[];
  /** Connections beyond it are closed at once. */
  readonly maxConnections: number;
  readonly requestTimeoutSeconds: number;
}
