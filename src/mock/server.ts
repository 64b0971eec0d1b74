import { ApolloServer } from '@apollo/server';
import Fastify, { type FastifyInstance } from 'fastify';
import { buildSchema, type GraphQLObjectType } from 'graphql';
import { rejectInvalidTokens } from '../auth/authorization.ts';
import { Unauthenticated } from '../graphql/errors.ts';
import { addCors } from '../server/http/cors.ts';
import { formatError } from '../server/http/error-responses.ts';
import { addGraphqlEndpoint } from '../server/http/graphql-endpoint.ts';
import { recordOutcome } from '../server/http/graphql-response.ts';
import { LoadShedder } from '../server/http/load-shedding.ts';
import { addSchemaEndpoint } from '../server/http/schema-endpoint.ts';
import { addSecureHeaders } from '../server/http/secure-headers.ts';
import { disabledPlugins } from '../server/operations/disabled-plugins.ts';
import { persistedDocuments } from '../server/operations/persisted-documents.ts';
import { publishedDocuments } from '../server/operations/published-operations.ts';
import { addPlayground } from '../server/playground/playground.ts';
import { Blog } from './blog.ts';
import { tokenOf } from './mutations.ts';
import { resolversOf } from './resolvers.ts';

/** The API of the SDL over the demo blog in memory. It listens when it is told to. */
export async function buildMockServer(sdl: string): Promise<FastifyInstance> {
  const blog = new Blog();
  const schema = buildSchema(sdl);
  for (const [type, fields] of Object.entries(resolversOf(blog))) {
    for (const [name, resolve] of Object.entries(fields)) {
      const field = (schema.getType(type) as GraphQLObjectType).getFields()[name];
      Object.assign(field ?? {}, { resolve, extensions: { ignoresToken: SIGNS_IN.has(name) } });
    }
  }
  // Errors are objects of the real server's classes, which are named as the types.
  Object.assign(schema.getType('UserError') ?? {}, { resolveType: (error: object) => error.constructor.name });
  rejectInvalidTokens(schema);

  const server: FastifyInstance = Fastify();
  const named = persistedDocuments({
    published: publishedDocuments(),
    trustedOnly: false,
  });
  const apollo = new ApolloServer<MockContext>({
    schema,
    persistedQueries: { cache: named.cache },
    introspection: true,
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => formatError(formatted, error),
    plugins: [...disabledPlugins(), named.plugin, recordOutcome()],
  });
  await apollo.start();
  addSecureHeaders(server, { production: false });
  await addCors(server, '*');
  addGraphqlEndpoint(server, {
    apollo,
    loadShedder: new LoadShedder({ maxInFlight: 1000, maxWaitMilliseconds: 1000 }),
    requestTimeoutSeconds: 10,
    cache: { guestCacheSeconds: 0 },
    createContext: async ({ headers }) => contextFor(blog, headers.authorization),
  });
  addSchemaEndpoint(server, schema);
  addPlayground(server);
  return server;
}

type MockContext = ReturnType<typeof contextFor>;

function contextFor({ users }: Blog, authorization: string | undefined) {
  const [, token] = /^(?:Token|Bearer) +(\S+)$/i.exec(authorization ?? '') ?? [];
  const viewer = users.find(({ id }) => tokenOf(id) === token) ?? null;
  const isFaulty = authorization !== undefined && !viewer;
  return { viewer, claims: null, tokenError: isFaulty ? new Unauthenticated('is invalid or has expired') : null };
}

const SIGNS_IN = new Set(['register', 'login', 'refreshSession']);
