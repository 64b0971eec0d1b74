import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import type { EntityManager } from '@mikro-orm/postgresql';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { type SessionSettings, Sessions } from '../users/sessions.ts';
import { type Context, contextFor } from './context.ts';
import { type AllowedOrigins, allowOrigins } from './cors.ts';
import { ServiceUnavailable, shownError, shownHttpError } from './errors.ts';
import { addGraphqlEndpoint } from './graphql-endpoint.ts';
import { addHealthChecks, type Readiness } from './health.ts';
import { type CacheSettings, rememberOutcome } from './http-answers.ts';
import { addPlayground } from './playground/playground.ts';
import { buildSchema } from './schema.ts';
import { addSchemaEndpoint } from './schema-endpoint.ts';

/** The HTTP server: GraphQL at /graphql, the schema at /schema.graphql, the Playground at /playground, health at /healthz and /readyz. It listens when it is told to. */
export async function buildServer({ em, log, settings, readiness }: ServerParts): Promise<FastifyInstance> {
  const server: FastifyInstance = Fastify({
    loggerInstance: log,
    genReqId: () => randomUUID(),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LARGEST_BODY,
  });
  await allowOrigins(server, settings.allowedOrigins);
  const requests = new AsyncLocalStorage<FastifyRequest>();
  const schema = buildSchema(em);
  const apollo = new ApolloServer<Context>({
    schema,
    introspection: true,
    stopOnTerminationSignals: false, // main.ts stops what it started, in its order
    formatError: (formatted, error) => shownError(formatted, error, requests.getStore()),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(), // it would load its scripts from another host
      rememberOutcome(() => requests.getStore()),
    ],
  });
  await apollo.start();

  const sessions = new Sessions(settings);
  server.setErrorHandler(shownHttpError);
  addGraphqlEndpoint(server, {
    apollo,
    requests,
    cache: settings,
    contextOf: async (request) => {
      const fault = await readiness.migrationFault();
      if (fault) throw new ServiceUnavailable(fault);
      return contextFor(request.headers.authorization, { em: em.fork(), sessions, settings });
    },
  });
  addSchemaEndpoint(server, schema);
  if (settings.playground) addPlayground(server);
  addHealthChecks(server, readiness);
  return server;
}

export interface ServerParts {
  readonly em: EntityManager;
  readonly log: FastifyBaseLogger;
  readonly settings: SessionSettings & Context['settings'] & HttpSettings;
  readonly readiness: Readiness;
}

export interface HttpSettings extends CacheSettings {
  readonly allowedOrigins: AllowedOrigins;
  readonly playground: boolean;
}

/** 100,000 characters of an article, each escaped in JSON as two surrogates (12 bytes), and the rest. */
const LARGEST_BODY = 1_500_000;
