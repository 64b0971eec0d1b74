import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import type { AuthChecker } from 'type-graphql';
import { Unauthenticated } from '../graphql/errors.ts';
import { type Context, verifySession } from './context.ts';
import type { OpenSession } from './sessions.ts';
import { invalidToken } from './token.ts';

/** `@Authorized()`: the viewer must be signed in. It runs before the resolver, so 401 comes before 404. */
export const requireSignIn: AuthChecker<Context> = ({ context }) => {
  if (!context.viewer) throw new Unauthenticated('is missing', 'Sign in first: no token came with the request.');
  return true;
};

/**
 * An invalid token, or one whose session has ended, fails every root field instead of making the client a guest. Fields
 * with the extension `ignoresToken` sign in, which must work with an expired token. Mutations wait for the session, unless they record
 * their writes.
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
        return type === schema.getQueryType() || field.extensions.recordsWrites
          ? resolveWhileVerifying(context, verification, resolved)
          : verification.then(resolved);
      };
    }
  }
}

/** The session, once it is known to be open. Throws Unauthenticated if it is not. */
export async function requireOpenSession(context: Context): Promise<OpenSession> {
  await verifySession(context);
  if (!context.session) throw context.tokenError ?? invalidToken();
  return context.session;
}

/**
 * A query reads from the database in the same batch that verifies the session; its result is dropped if that fails. So does a mutation
 * that records its writes.
 */
async function resolveWhileVerifying(
  context: Context,
  verification: Promise<void>,
  resolve: () => unknown,
): Promise<unknown> {
  const [verified, resolved] = await Promise.allSettled([verification, (async () => resolve())()]);
  if (verified.status === 'rejected') throw verified.reason;
  if (context.tokenError) throw context.tokenError;
  if (resolved.status === 'rejected') throw resolved.reason;
  return resolved.value;
}
