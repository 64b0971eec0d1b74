import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import type { Context } from '../../auth/context.ts';
import { Refusal } from '../../graphql/user-errors.ts';
import { errorForConstraint, isRetryable } from './constraint-errors.ts';

/**
 * Every mutation runs on an entity manager of its own, is done again when two met at once, and answers refusals as the
 * payload's `errors`.
 */
export function wrapMutations(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const act = field.resolve as GraphQLFieldResolver<unknown, Context, unknown, Promise<object>>;
    field.resolve = async (source, args, context: Context, info) => {
      for (let attempt = 1; ; attempt += 1) {
        context.signal.throwIfAborted(); // nobody would hear of it
        context.em = context.em.fork();
        try {
          return { errors: [], ...(await act(source, args, context, info)) };
        } catch (error) {
          if (attempt < MOST_ATTEMPTS && isRetryable(error)) {
            await sleep(Math.random() * 20 * attempt);
            continue;
          }
          const meaning = errorForConstraint(error) ?? error;
          if (meaning instanceof Refusal) {
            context.refused ??= meaning.errors[0]?.code ?? null;
            return { errors: meaning.errors };
          }
          throw meaning;
        }
      }
    };
  }
}

const MOST_ATTEMPTS = 4;
