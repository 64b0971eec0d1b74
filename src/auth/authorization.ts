import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import type { AuthChecker } from 'type-graphql';
import { Unauthenticated } from '../graphql/errors.ts';
import { type Context, verifySession } from './context.ts';

/** `@Authorized()`: somebody must be signed in. It is asked before anything is looked up, so 401 comes before 404. */
export const requireSignIn: AuthChecker<Context> = ({ context }) => {
  if (!context.viewer) throw new Unauthenticated('is missing');
  return true;
};

/**
 * A token that is not good, or whose session has ended, fails every field it comes along with, instead of making its bearer a
 * guest. Signing in does not look at it: that is how one gets a better one.
 */
export function rejectInvalidTokens(schema: GraphQLSchema): void {
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      if (field.extensions.ignoresToken) continue;
      const resolve = field.resolve as GraphQLFieldResolver<unknown, Context>;
      field.resolve = (source, args, context: Context, info) => {
        const resolved = () => {
          if (context.tokenError) throw context.tokenError;
          return resolve(source, args, context, info);
        };
        const verification = context.session || context.tokenError ? null : verifySession(context);
        if (!verification) return resolved();
        // Mutations are proven before they begin (execution.ts); one that comes by another way waits here.
        return type === schema.getQueryType()
          ? meanwhile(context, verification, resolved)
          : verification.then(resolved);
      };
    }
  }
}

/** What a query asks for goes to the database together with the question whether the session is still open. */
async function meanwhile(context: Context, verification: Promise<void>, ask: () => unknown): Promise<unknown> {
  const [proven, asked] = await Promise.allSettled([verification, new Promise((resolve) => resolve(ask()))]);
  if (proven.status === 'rejected') throw proven.reason;
  if (context.tokenError) throw context.tokenError;
  if (asked.status === 'rejected') throw asked.reason;
  return asked.value;
}
