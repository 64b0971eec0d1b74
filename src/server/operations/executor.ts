import type { ApolloServerOptions } from '@apollo/server';
import { execute, type GraphQLSchema } from 'graphql';
import { type Context, verifySession } from '../../auth/context.ts';
import { withoutCompletion } from '../../reading/raw-json.ts';
import { MAX_ERRORS } from './operation-limits.ts';

/**
 * Has Apollo execute queries without completing their answers, field by field, a second time; `gateway` is its name for
 * who executes. Everything else it does itself: parsing, validation by the whole schema, errors.
 */
export function createGateway(schema: GraphQLSchema): NonNullable<ApolloServerOptions<Context>['gateway']> {
  const queries = withoutCompletion(schema);
  return {
    load: async () => ({
      executor: async ({ document, operation, source, request: { variables, operationName }, context }) => {
        // A query proves it while it asks. Whoever changes something has to be known before, also because a mutation that signs in
        // or out changes who that is for the next one.
        if (operation?.operation !== 'query') await verifySession(context as Context);
        return execute({
          schema: operation?.operation === 'query' && !INTROSPECTION.test(source) ? queries : schema,
          document,
          contextValue: context,
          variableValues: variables,
          operationName,
          options: { maxCoercionErrors: MAX_ERRORS },
        });
      },
    }),
    onSchemaLoadOrUpdate: (use) => {
      use({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => {};
    },
    stop: async () => {},
  };
}

/** Asks for the schema itself, which the one without completion has not whole. */
const INTROSPECTION = /__(schema|type)\b/;
