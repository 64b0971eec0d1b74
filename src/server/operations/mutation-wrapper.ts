import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import type { Context } from '../../auth/context.ts';
import { Refusal } from '../../graphql/user-errors.ts';
import { errorForConstraint, isRetryable } from './constraint-errors.ts';

/** Runs each mutation on a fork of the entity manager, retries conflicts, and returns refusals as the payload's `errors`. */
export function wrapMutations(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const resolve = field.resolve as GraphQLFieldResolver<unknown, Context, unknown, Promise<object>>;
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

const MAX_ATTEMPTS = 4;
