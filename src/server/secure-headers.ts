import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

/**
 * What browsers are told not to do with our answers: run them, frame them, take them for another type. The Playground, the
 * one answer that is a page, says itself what it may do.
 */
export async function sendSecureHeaders(server: FastifyInstance, { production }: HeaderSettings): Promise<void> {
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: NONE, baseUri: NONE, formAction: NONE, frameAncestors: NONE },
    },
    // Subdomains are for whoever owns them to decide about.
    strictTransportSecurity: production && { maxAge: 31_536_000, includeSubDomains: false },
    // For programs of the past, or of no use without pages.
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
    originAgentCluster: false,
    crossOriginOpenerPolicy: false,
  });
}

const NONE = ["'none'"];

export interface HeaderSettings {
  readonly production: boolean;
}
