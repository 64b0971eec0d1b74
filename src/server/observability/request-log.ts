import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ApolloServerPlugin } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Kind, type OperationDefinitionNode } from 'graphql';
import type { Context, SignedIn } from '../../auth/context.ts';
import { currentRequest } from '../http/current-request.ts';
import { wasShed } from '../http/load-shedding.ts';

/** Receives every request that runs an operation, at /graphql or /api: metrics, traces. */
export interface RequestObserver {
  onRequest?(request: FastifyRequest): void;
  onResponse(request: FastifyRequest, summary: RequestSummary): void;
}

/** Labels of bounded cardinality, whatever clients send. */
export interface RequestSummary {
  readonly type: 'query' | 'mutation' | 'none';
  /** The root field; `several`, `introspection` or `none` if it is not exactly one of the schema's. */
  readonly field: string;
  /** `ok`, the code of the first error, or the code of the first user error of a mutation. */
  readonly outcome: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** The client's request id, so that all logs share one id; limited to characters that are safe in a log. */
export const requestIdOf = ({ headers }: Pick<IncomingMessage, 'headers'>): string => {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
};

/** Logs one line for each request, and passes those that run an operation to the observers. */
export function logRequests(server: FastifyInstance, observers: readonly RequestObserver[]): void {
  const runsOperation = ({ routeOptions: { url = '' } }: FastifyRequest) => url === '/graphql' || isRestCall(url);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    if (runsOperation(request)) for (const observer of observers) observer.onRequest?.(request);
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    logRequest(request, reply);
    done();
  });

  function logRequest(request: FastifyRequest, reply: FastifyReply): void {
    const line = { method: request.method, status: reply.statusCode, ms: Math.round(reply.elapsedTime * 10) / 10 };
    const { url } = request.routeOptions;
    if (!runsOperation(request)) {
      request.log[url === '/healthz' || url === '/readyz' ? 'debug' : 'info'](
        { ...line, route: url ?? null },
        'request',
      );
      return;
    }
    const { name, user, ...labels } = operations.get(request) ?? NO_OPERATION;
    const outcome = outcomes.get(request) ?? (reply.statusCode < 400 ? 'ok' : outcomeByStatus(reply));
    const level = wasShed(reply) ? 'debug' : 'info'; // there may be thousands a second; metrics count them
    const route = url === '/graphql' ? {} : { route: url };
    request.log[level](
      { ...line, ...route, ...labels, ...(name && { name }), ...(user && { user }), outcome },
      'request',
    );
    const summary = { ...labels, outcome, status: reply.statusCode, milliseconds: reply.elapsedTime };
    for (const observer of observers) observer.onResponse(request, summary);
  }
}

/** Records the operation and its outcome in Apollo, for the hooks above. */
export const recordOperations = (): ApolloServerPlugin<Context> => ({
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation, contextValue: { viewer } }) => {
      const request = currentRequest.getStore();
      // The schema has no subscriptions, so their field names are arbitrary.
      if (!request || !operation || operation.operation === 'subscription') return;
      operations.set(request, describe(operation, viewer));
    },
    willSendResponse: async ({ response: { body }, contextValue: { viewer, refused, tokenError } }) => {
      const request = currentRequest.getStore();
      if (!request) return;
      const [error] = body.kind === 'single' ? (body.singleResult.errors ?? []) : [];
      outcomes.set(request, String(error?.extensions?.code ?? refused ?? 'ok'));
      const recorded = operations.get(request);
      // Set by a sign-in; null if the token's session has ended.
      if (recorded) recorded.user = viewer?.id ?? (tokenError ? null : recorded.user);
    },
  }),
});

interface OperationDescription extends Pick<RequestSummary, 'type' | 'field'> {
  /** The client's name of the operation. Only for the log, because its cardinality is unbounded. */
  readonly name: string | null;
  /** The viewer's id; null for a guest. Only for the log. */
  user: number | null;
}

function describe(
  { operation, selectionSet, name }: OperationDefinitionNode,
  viewer: SignedIn | null,
): OperationDescription {
  const fields = new Set(selectionSet.selections.map((one) => (one.kind === Kind.FIELD ? one.name.value : '')));
  const [field = ''] = fields;
  const label = fields.size > 1 || field === '' ? 'several' : field.startsWith('__') ? 'introspection' : field;
  return {
    type: operation === 'mutation' ? 'mutation' : 'query',
    field: label,
    name: name?.value.slice(0, 100) ?? null,
    user: viewer?.id ?? null,
  };
}

const isRestCall = (url: string) => url.startsWith('/api/') && url !== '/api/openapi.json';

const outcomeByStatus = ({ statusCode }: FastifyReply) =>
  statusCode === 503 ? 'SERVICE_UNAVAILABLE' : 'BAD_USER_INPUT';

const NO_OPERATION: OperationDescription = { type: 'none', field: 'none', name: null, user: null };
const operations = new WeakMap<FastifyRequest, OperationDescription>();
const outcomes = new WeakMap<FastifyRequest, string>();
