import { ApolloServer } from '@apollo/server';
import type { EntityManager } from '@mikro-orm/postgresql';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { ReadCounter } from '../articles/reads/read-counter.ts';
import { type Context, createContext } from '../auth/context.ts';
import { LoginThrottle } from '../auth/login-throttle.ts';
import { type SessionSettings, Sessions } from '../auth/sessions.ts';
import { isTransientDatabaseError } from '../database/database-errors.ts';
import type { Environment } from '../environment.ts';
import { ServiceUnavailable } from '../graphql/errors.ts';
import { PreparedStatements } from '../reading/prepared-statements.ts';
import { stringifyResult } from '../reading/raw-json.ts';
import { addGracefulShutdown } from './graceful-shutdown.ts';
import type { CacheSettings } from './http/cache-headers.ts';
import {
  type ConnectionSettings,
  connectionLimits,
  rejectMultipleHosts,
  warnOfUnnamedProxy,
} from './http/connection-limits.ts';
import { type AllowedOrigins, addCors } from './http/cors.ts';
import { currentRequest } from './http/current-request.ts';
import { addAvatarEndpoint } from './http/endpoints/avatar-endpoint.ts';
import { addRootEndpoint, type RootSettings } from './http/endpoints/root-endpoint.ts';
import { addSchemaEndpoint } from './http/endpoints/schema-endpoint.ts';
import { addVersionEndpoint } from './http/endpoints/version-endpoint.ts';
import {
  databaseUnavailable,
  formatError,
  rejectUnknownPath,
  removeSuggestion,
  sendHttpError,
  truncateMessage,
} from './http/error-responses.ts';
import { addGraphqlEndpoint } from './http/graphql-endpoint.ts';
import { recordOutcome } from './http/graphql-response.ts';
import { addHealthChecks, type Readiness } from './http/health.ts';
import { type LoadLimits, LoadShedder } from './http/load-shedding.ts';
import { addSecurityHeaders, type HeaderSettings } from './http/security-headers.ts';
import { limitUnreadResponses } from './http/slow-consumers.ts';
import { logRequests, type RequestObserver, recordOperations, requestIdOf } from './observability/request-log.ts';
import { disabledPlugins } from './operations/disabled-plugins.ts';
import { createGateway } from './operations/executor.ts';
import { documentLimits, limitOperations } from './operations/operation-limits.ts';
import { documentCache, persistedDocuments } from './operations/persisted-documents.ts';
import { publishedDocuments } from './operations/published-operations.ts';
import { addPlayground } from './playground/playground.ts';
import { addRestApi } from './rest/rest-api.ts';
import { sendRestError } from './rest/rest-error.ts';
import { buildSchema } from './schema.ts';

/** The HTTP server with all its routes. The caller starts listening. */
export async function buildServer({
  em,
  log,
  settings,
  readiness,
  loadShedder = new LoadShedder(settings),
  readCounter = new ReadCounter(em, settings, log),
  observers = [],
}: ServerParts): Promise<FastifyInstance> {
  const server: FastifyInstance = Fastify({
    loggerInstance: log,
    genReqId: requestIdOf,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    schemaController: NO_JSON_SCHEMAS,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: MAX_PARAMETER_LENGTH },
    // The path is malformed.
    frameworkErrors: (error, request, reply) =>
      (isForRest(request) ? sendRestError : sendHttpError)(error, request, reply),
    return503OnClosing: false, // keep-alive connections are served until they close
    ...connectionLimits(settings),
  });
  logRequests(server, observers);
  server.server.maxConnections = settings.maxConnections;
  addSecurityHeaders(server, settings);
  rejectMultipleHosts(server);
  warnOfUnnamedProxy(server);
  await addCors(server, settings.allowedOrigins);
  const statements = new PreparedStatements(em, {
    prepares: settings.preparedStatements,
    log: (line) => log.warn(line),
  });
  const schema = buildSchema(em);
  const documents = persistedDocuments({
    published: [...publishedDocuments(), ...(settings.playground ? addPlayground(server) : [])],
    trustedOnly: settings.trustedDocumentsOnly,
  });
  const apollo = new ApolloServer<Context>({
    logger: log,
    gateway: createGateway(schema),
    stringifyResult,
    documentStore: documentCache(),
    persistedQueries: { cache: documents.cache },
    introspection: true, // validationRules forbid it where wanted, with GraphQL's own message
    ...documentLimits({ showsSchema: settings.introspection }),
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false, // start.ts closes everything in order
    formatError: (formatted, error) => {
      const shown = formatError(formatted, error, currentRequest.getStore());
      return truncateMessage(settings.introspection ? shown : removeSuggestion(shown));
    },
    plugins: [limitOperations(schema), ...disabledPlugins(), documents.plugin, recordOutcome(), recordOperations()],
  });
  await apollo.start();

  const loginThrottle = new LoginThrottle(em, settings);
  const contextWith =
    (sessions: Sessions) => async (request: FastifyRequest, signal: AbortSignal, authorization: string | undefined) => {
      try {
        const reason = await readiness.unavailableReason();
        if (reason) throw new ServiceUnavailable(reason);
        const { ip: address, headers } = request;
        const userAgent = headers['user-agent'] ?? '';
        const client = { address, userAgent };
        const shared = { em, statements, sessions, loginThrottle, readCounter, settings };
        return createContext(authorization, { ...shared, ...client, signal });
      } catch (error) {
        throw isTransientDatabaseError(error) ? databaseUnavailable(error, request) : error;
      }
    };
  server.setErrorHandler(sendHttpError);
  server.setNotFoundHandler(rejectUnknownPath);
  limitUnreadResponses(server);
  const { requestTimeoutSeconds } = settings;
  const endpoint = { apollo, loadShedder, cache: settings, requestTimeoutSeconds };
  addGraphqlEndpoint(server, { ...endpoint, createContext: contextWith(new Sessions(settings)) });
  // Its clients cannot refresh a session.
  if (settings.rest) addRestApi(server, { ...endpoint, createContext: contextWith(new Sessions(settings, 'slide')) });
  if (settings.introspection) addSchemaEndpoint(server, schema);
  addAvatarEndpoint(server);
  addRootEndpoint(server, settings);
  addVersionEndpoint(server, settings.revision ?? null);
  addHealthChecks(server, readiness);
  addGracefulShutdown(server, readiness, settings.shutdownDelaySeconds);
  return server;
}

export interface ServerParts {
  readonly em: EntityManager;
  readonly log: FastifyBaseLogger;
  readonly settings: SessionSettings &
    Context['settings'] &
    HttpSettings &
    Pick<Environment, 'preparedStatements' | 'registrationsPerHour'>;
  readonly readiness: Readiness;
  readonly loadShedder?: LoadShedder;
  /** The caller closes it after the server, since requests in progress still count. */
  readonly readCounter?: ReadCounter;
  readonly observers?: readonly RequestObserver[];
}

export interface HttpSettings extends CacheSettings, ConnectionSettings, HeaderSettings, LoadLimits, RootSettings {
  readonly allowedOrigins: AllowedOrigins;
  /** Only published operations are executed. */
  readonly trustedDocumentsOnly: boolean;
  readonly shutdownDelaySeconds: number;
  readonly revision?: string | null;
}

/** No route has a JSON schema, so Fastify's schema compilers need not be loaded. */
const none = () => () => () => true;
const NO_JSON_SCHEMAS = { compilersFactory: { buildValidator: none, buildSerializer: none } } as never;

/** A parameter of a path can be as long as the headers: an encoded name is longer than the name. */
const MAX_PARAMETER_LENGTH = 16_384;

const isForRest = ({ url }: FastifyRequest): boolean => url.startsWith('/api/');

/** An article of 100,000 characters, each escaped in JSON as two surrogates (12 bytes), and the rest. */
const MAX_BODY_BYTES = 1_500_000;
