import type { Server } from 'node:http';
import type { FastifyHttpOptions, FastifyInstance } from 'fastify';
import { BadUserInput } from '../../graphql/errors.ts';

/** How long somebody may take to connect and say what they want, and whose word on where they are is taken. */
export const connectionLimits = ({ trustProxy }: ConnectionSettings) =>
  ({
    trustProxy,
    // Of a request: all of it must be here in time, however slowly it drips.
    requestTimeout: 15_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000, maxHeaderSize: 16_384 },
    // Of a connection on which nothing moves, such as of somebody who does not read the answer.
    connectionTimeout: 30_000,
    keepAliveTimeout: 72_000, // longer than what proxies keep, which is mostly 60 seconds: the server must not hang up first
  }) satisfies FastifyHttpOptions<Server>;

/** Node takes one of two hosts, and a proxy before it may have taken the other (RFC 9112, 3.2). It refuses only none by itself. */
export function rejectMultipleHosts(server: FastifyInstance): void {
  server.addHook('onRequest', ({ raw: { rawHeaders } }, _reply, done) => {
    const hosts = rawHeaders.filter((name, place) => place % 2 === 0 && name.toLowerCase() === 'host').length;
    if (hosts < 2) return done();
    const fault = new BadUserInput(`There are ${hosts} Host headers; there must be one.`);
    done(Object.assign(fault, { statusCode: 400 }));
  });
}

export interface ConnectionSettings {
  readonly trustProxy: string[];
  /** Further ones are closed as they come. */
  readonly maxConnections: number;
  readonly requestTimeoutSeconds: number;
}
