import type { FastifyInstance } from 'fastify';
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';

/** The text of schema/schema.graphql, for editors and code generators: GET /schema.graphql. */
export function addSchemaEndpoint(server: FastifyInstance, schema: GraphQLSchema): void {
  const text = printSortedSchema(schema);
  server.get('/schema.graphql', (_request, reply) =>
    reply.type('text/plain; charset=utf-8').header('cache-control', 'public, no-cache').send(text),
  );
}

/** Sorted, so that a change of the code moves nothing that it does not change. */
export const printSortedSchema = (schema: GraphQLSchema): string => `${printSchema(lexicographicSortSchema(schema))}\n`;
