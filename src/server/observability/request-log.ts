import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ApolloServerPlugin } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Kind, type OperationDefinitionNode } from 'graphql';
import type { Context, SignedIn } from '../../auth/context.ts';
import { currentRequest } from '../http/current-request.ts';
import { wasShed } from '../http/load-shedding.ts';

/** Somebody who is told of every request to /graphql: metrics, traces. */
export interface RequestObserver {
  onRequest?(request: FastifyRequest): void;
  onResponse(request: FastifyRequest, seen: RequestSummary): void;
}

/** What a request was about and came to, in words of ours: there are only so many, whatever clients send. */
export interface RequestSummary {
  readonly type: 'query' | 'mutation' | 'none';
  /** The root field; `several`, `introspection` or `none` where it is not one of ours alone. */
  readonly field: string;
  /** `ok`, or the code of the first error, or else of what a mutation refused. */
  readonly outcome: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** The id that came along, so that one request has one id in the logs of everybody; a made-up one must not break them. */
export const requestIdOf = ({ headers }: Pick<IncomingMessage, 'headers'>): string => {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
};

/** One line in the log for each request; of those to /graphql the observers are told too. */
export function logRequests(server: FastifyInstance, observers: readonly RequestObserver[]): void {
  const isGraphql = ({ routeOptions }: FastifyRequest) => routeOptions.url === '/graphql';
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    if (isGraphql(request)) for (const observer of observers) observer.onRequest?.(request);
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    tell(request, reply);
    done();
  });

  function tell(request: FastifyRequest, reply: FastifyReply): void {
    const line = { method: request.method, status: reply.statusCode, ms: Math.round(reply.elapsedTime * 10) / 10 };
    const { url } = request.routeOptions;
    if (!isGraphql(request)) {
      request.log[url === '/healthz' || url === '/readyz' ? 'debug' : 'info'](
        { ...line, route: url ?? null },
        'request',
      );
      return;
    }
    const { name, user, ...about } = asked.get(request) ?? NOTHING;
    const outcome = outcomes.get(request) ?? (reply.statusCode < 400 ? 'ok' : byStatus(reply));
    const level = wasShed(reply) ? 'debug' : 'info'; // thousands a second: metrics count them
    request.log[level]({ ...line, ...about, ...(name && { name }), ...(user && { user }), outcome }, 'request');
    const seen = { ...about, outcome, status: reply.statusCode, milliseconds: reply.elapsedTime };
    for (const observer of observers) observer.onResponse(request, seen);
  }
}

/** Finds out in Apollo what the hooks above tell. */
export const recordOperations = (): ApolloServerPlugin<Context> => ({
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation, contextValue: { viewer } }) => {
      const request = currentRequest.getStore();
      // Of subscriptions there are none, and so nothing says which fields they have: clients may write any.
      if (!request || !operation || operation.operation === 'subscription') return;
      asked.set(request, about(operation, viewer));
    },
    willSendResponse: async ({ response: { body }, contextValue: { viewer, refused, tokenError } }) => {
      const request = currentRequest.getStore();
      if (!request) return;
      const [error] = body.kind === 'single' ? (body.singleResult.errors ?? []) : [];
      outcomes.set(request, String(error?.extensions?.code ?? refused ?? 'ok'));
      const known = asked.get(request);
      // Who has just signed in; nobody where the session of the token had ended.
      if (known) known.user = viewer?.id ?? (tokenError ? null : known.user);
    },
  }),
});

interface About extends Pick<RequestSummary, 'type' | 'field'> {
  /** What its client calls it: for the log alone, since there is no end to such names. */
  readonly name: string | null;
  /** The id of who asks; null for a guest. For the log alone too. */
  user: number | null;
}

function about({ operation, selectionSet, name }: OperationDefinitionNode, viewer: SignedIn | null): About {
  const fields = new Set(selectionSet.selections.map((one) => (one.kind === Kind.FIELD ? one.name.value : '')));
  const [field = ''] = fields;
  const known = fields.size > 1 || field === '' ? 'several' : field.startsWith('__') ? 'introspection' : field;
  return {
    type: operation === 'mutation' ? 'mutation' : 'query',
    field: known,
    name: name?.value.slice(0, 100) ?? null,
    user: viewer?.id ?? null,
  };
}

const byStatus = ({ statusCode }: FastifyReply) => (statusCode === 503 ? 'SERVICE_UNAVAILABLE' : 'BAD_USER_INPUT');

const NOTHING: About = { type: 'none', field: 'none', name: null, user: null };
const asked = new WeakMap<FastifyRequest, About>();
const outcomes = new WeakMap<FastifyRequest, string>();
