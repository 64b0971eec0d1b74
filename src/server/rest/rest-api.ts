import type { ApolloServer } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Context, hasToken } from '../../auth/context.ts';
import { type CacheSettings, cacheable, uncacheable } from '../http/cache-headers.ts';
import { currentRequest } from '../http/current-request.ts';
import { RESPONSE_COMPLETE, rejectOnAbort, startDeadline } from '../http/deadline.ts';
import { acceptJsonOrNothing } from '../http/json-body.ts';
import type { LoadShedder } from '../http/load-shedding.ts';
import { openApiDescription, publishedHashes } from '../operations/published-operations.ts';
import { Call } from './call.ts';
import {
  fromTopLevelError,
  fromUserErrors,
  notFound,
  OVERLOADED,
  RestError,
  restError,
  sendRestError,
  TOKEN_IS_MISSING,
  type UserErrorFields,
} from './rest-error.ts';
import { type Connection, type Item, parsed, type Result, ROUTES, type Route } from './routes.ts';

/**
 * RealWorld's REST API at /api. Each call runs one published operation in this process, through the same queue, limits, session
 * and reads as /graphql; routes.ts maps the call to it and its result to the answer.
 */
export function addRestApi(server: FastifyInstance, parts: RestParts): void {
  const hashes = publishedHashes();
  const addRoutes = async (scope: FastifyInstance) => {
    parts.loadShedder.rejectWhenFull(scope, OVERLOADED);
    acceptJsonOrNothing(scope);
    scope.setErrorHandler(sendRestError);
    scope.setNotFoundHandler(rejectUnknownPath);
    scope.addHook('onSend', (request, reply, payload, done) => {
      const isRead = ['GET', 'HEAD'].includes(request.method) && reply.statusCode === 200;
      done(null, isRead ? cacheable(request, reply, payload, parts.cache) : uncacheable(reply, payload));
    });
    addDescription(scope);
    for (const { method, path: url, ...route } of ROUTES) {
      const call = { ...route, sha256Hash: hashes.get(route.operation) ?? '' };
      const work = (request: FastifyRequest, reply: FastifyReply) => () =>
        currentRequest.run(request, () => answer(call, request, reply, parts));
      scope.route({
        method,
        url,
        handler: (request, reply) => parts.loadShedder.run(reply, work(request, reply), OVERLOADED),
      });
    }
  };
  server.register(addRoutes, { prefix: '/api' });
}

export interface RestParts {
  readonly apollo: ApolloServer<Context>;
  /** The context of an operation, for the given Authorization header. */
  readonly createContext: (request: FastifyRequest, signal: AbortSignal, authorization?: string) => Promise<Context>;
  readonly cache: CacheSettings;
  readonly loadShedder: LoadShedder;
  readonly requestTimeoutSeconds: number;
}

type Runnable = Omit<Route, 'method' | 'path'> & { readonly sha256Hash: string };

async function answer(route: Runnable, request: FastifyRequest, reply: FastifyReply, parts: RestParts) {
  const deadline = startDeadline(reply, parts.requestTimeoutSeconds);
  const body = await rejectOnAbort(deadline.signal, bodyOf(route, request, deadline.signal, parts)).finally(() =>
    deadline.abort(RESPONSE_COMPLETE),
  );
  reply.code(route.status ?? 200);
  if (body === undefined) return reply.send();
  return reply.type('application/json; charset=utf-8').send(typeof body === 'string' ? body : JSON.stringify(body));
}

async function bodyOf(route: Runnable, request: FastifyRequest, signal: AbortSignal, parts: RestParts) {
  const { authorization } = request.headers;
  if (route.token === 'required' && !hasToken(authorization)) throw TOKEN_IS_MISSING;
  const call = new Call(request);
  const run = async (variables: object): Promise<Result> => {
    const runWith = async (token: string | undefined) =>
      runOperation(route.sha256Hash, variables, await parts.createContext(request, signal, token), parts);
    const result = await runWith(authorization).catch((error: unknown) => {
      // A reader with a bad token is a guest: frontends keep sending a token that has expired.
      if (route.token !== 'optional' || !isUnauthenticated(error)) throw error;
      return runWith(undefined);
    });
    if (result === null) throw route.missing === 'token' ? TOKEN_IS_MISSING : notFound(route.missing ?? 'request');
    return result;
  };
  const variables = route.variables(call);
  if (route.list) return route.list.answer(await readWhole(variables, run, route.list.connection));
  const result = await run(variables);
  return route.answer?.(result, call);
}

/** The root field of the operation's result. Throws its errors as a RestError. */
async function runOperation(
  sha256Hash: string,
  variables: object,
  contextValue: Context,
  { apollo }: RestParts,
): Promise<Result | null> {
  const request = { variables: { ...variables }, extensions: { persistedQuery: { version: 1, sha256Hash } } };
  const { body } = await apollo.executeOperation(request, { contextValue });
  if (body.kind !== 'single') throw new Error('The operation answers in parts.');
  const { data, errors = [] } = body.singleResult;
  if (errors[0]) throw fromTopLevelError(errors[0]);
  const [result = null] = Object.values(data ?? {});
  const refused = fromUserErrors((result as { errors?: UserErrorFields[] } | null)?.errors ?? []);
  if (refused) throw refused;
  return result as Result | null;
}

/** All items of a list, page by page. */
async function readWhole(
  variables: object,
  run: (variables: object) => Promise<Result>,
  connectionOf: NonNullable<Route['list']>['connection'],
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let after: Connection['pageInfo']['endCursor'] = null;
  do {
    const { nodes, pageInfo } = connectionOf(parsed(await run({ ...variables, after })));
    items.push(...nodes);
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null && items.length < MAX_ITEMS);
  return items;
}

/** The bound of lists that RealWorld does not page: comments and tags. */
const MAX_ITEMS = 1_000;

const isUnauthenticated = (error: unknown): boolean => error instanceof RestError && error.status === 401;

function addDescription(scope: FastifyInstance): void {
  const text = openApiDescription();
  scope.get('/openapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(text));
}

function rejectUnknownPath({ method, url }: FastifyRequest): never {
  const [path] = url.split('?', 1);
  throw restError(404, 'path', `Nothing answers ${method} ${path}; /api/openapi.json describes what does.`);
}
