import { buildClientSchema, type GraphQLSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { blog } from './blog.ts';

/** The schema from introspection, for tests that are generated from it. */
export async function introspectSchema(): Promise<GraphQLSchema> {
  const { data } = await blog<IntrospectionQuery, object>(getIntrospectionQuery({ oneOf: true }));
  return buildClientSchema(data);
}
