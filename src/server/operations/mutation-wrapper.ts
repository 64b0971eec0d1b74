import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import { requireOpenSession } from '../../auth/authorization.ts';
import type { Context } from '../../auth/context.ts';
import { WriteBatch } from '../../database/batch/write-batch.ts';
import { Refusal } from '../../graphql/user-errors.ts';
import type { WriteAndRead } from '../../reading/sql-resolvers.ts';
import { errorForConstraint, isRetryable } from './constraint-errors.ts';

type Resolve = GraphQLFieldResolver<unknown, Context, unknown, Promise<object>>;

/** Runs each mutation on a fork of the entity manager, retries conflicts, and returns refusals as the payload's `errors`. */
export function wrapMutations(schema: GraphQLSchema, writeAndRead: WriteAndRead): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const resolver = field.resolve as Resolve;
    const resolve = field.extensions.recordsWrites ? recordWrites(resolver, writeAndRead) : resolver;
    field.resolve = async (source, args, context: Context, info) => {
      for (let attempt = 1; ; attempt += 1) {
        context.signal.throwIfAborted(); // the client would not get the result
        context.em = context.em.fork();
        try {
          return { errors: [], ...(await resolve(source, args, context, info)) };
        } catch (error) {
          if (attempt < MAX_ATTEMPTS && isRetryable(error)) {
            await sleep(Math.random() * 20 * attempt);
            continue;
          }
          const shown = errorForConstraint(error) ?? error;
          if (!(shown instanceof Refusal)) throw shown;
          context.refused ??= shown.errors[0]?.code ?? null;
          return { errors: shown.errors };
        }
      }
    };
  }
}

/**
 * A mutation with the extension `recordsWrites` takes two messages: what it reads first, with the session, and then what it has
 * written, with the answer. One that needs the rows that it writes has a transaction of its own in place of the second message.
 * Either way, nothing is written once the session has ended.
 */
const recordWrites =
  (resolve: Resolve, writeAndRead: WriteAndRead): Resolve =>
  async (source, args, context, info) => {
    const batch = new WriteBatch(async () => context.sessions.guard(await requireOpenSession(context)));
    context.em.setTransactionContext(batch as never);
    const payload = await resolve(source, args, context, info);
    if (batch.statements.length === 0) return payload;
    const guard = await batch.proof();
    context.signal.throwIfAborted();
    return writeAndRead(payload, [guard, ...batch.statements], context, info);
  };

const MAX_ATTEMPTS = 4;
