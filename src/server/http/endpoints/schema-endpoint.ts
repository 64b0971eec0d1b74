import type { FastifyInstance } from 'fastify';
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';

/** GET /schema.graphql, for editors and code generators. */
export function addSchemaEndpoint(server: FastifyInstance, schema: GraphQLSchema): void {
  const text = printSortedSchema(schema);
  server.get('/schema.graphql', (_request, reply) =>
    reply.type('text/plain; charset=utf-8').header('cache-control', 'public, no-cache').send(text),
  );
}

/** Sorted, so that a diff shows only what a change affects. */
export const printSortedSchema = (schema: GraphQLSchema): string => `${printSchema(lexicographicSortSchema(schema))}\n`;
