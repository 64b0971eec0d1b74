import { buildClientSchema, type GraphQLSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { executeGraphql } from './test-server.ts';

/** The schema from introspection, for tests that are generated from it. */
export async function introspectSchema(): Promise<GraphQLSchema> {
  const { data } = await executeGraphql<IntrospectionQuery, object>(getIntrospectionQuery({ oneOf: true }));
  return buildClientSchema(data);
}
