import type { ApolloServerOptions } from '@apollo/server';
import { execute, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { type Context, verifySession } from '../../auth/context.ts';
import { withoutCompletion } from '../../reading/raw-json.ts';
import { MAX_ERRORS } from './operation-limits.ts';

/**
 * Executes queries without completing their results field by field, since PostgreSQL returns them complete. A `gateway` is
 * Apollo's hook for a custom executor; parsing, validation by the full schema and errors stay with Apollo.
 */
export function createGateway(schema: GraphQLSchema): NonNullable<ApolloServerOptions<Context>['gateway']> {
  const queries = withoutCompletion(schema);
  const recordsWrites = ({ selectionSet: { selections } }: OperationDefinitionNode): boolean => {
    const [field] = selections;
    if (selections.length > 1 || field?.kind !== 'Field') return false;
    return Boolean(schema.getMutationType()?.getFields()[field.name.value]?.extensions.recordsWrites);
  };
  return {
    load: async () => ({
      executor: async ({ document, operation, source, request: { variables, operationName }, context }) => {
        // Queries verify the session in parallel with their reads, and so does a mutation whose only field records its writes. Others
        // verify it first, also because one that signs in or out changes the viewer of the next.
        if (operation?.operation === 'mutation' && !recordsWrites(operation)) await verifySession(context as Context);
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

/** Introspection needs the full schema. */
const INTROSPECTION = /__(schema|type)\b/;
