import { GraphQLError, GraphQLScalarType } from 'graphql';
import { GraphQLDateTime, GraphQLURL } from 'graphql-scalars';

/**
 * Strict scalars of results and filters. Fields of inputs stay `String`, so that every error of a form is reported at once, with its
 * path.
 */

export const DateTime = new GraphQLScalarType({
  ...GraphQLDateTime.toConfig(),
  parseValue: (value) => storable(GraphQLDateTime.parseValue(value)),
  parseLiteral: (ast) => storable(GraphQLDateTime.parseLiteral(ast)),
  description: 'RFC 3339 UTC instant with milliseconds, e.g. 2026-02-18T03:22:56.637Z.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time',
});

export const Url = new GraphQLScalarType({
  ...GraphQLURL.toConfig(),
  // Unchanged: a new one is stored as the URL class serializes it, and an older one is what its user typed.
  serialize: String,
  name: 'URL',
  description: 'Absolute http(s) URL.',
  specifiedByURL: 'https://www.w3.org/Addressing/URL/url-spec.html',
});

/** RFC 3339 allows the year 0, and offsets that reach the year 10000; PostgreSQL does not. */
function storable(instant: Date): Date {
  const year = instant.getUTCFullYear();
  if (year < 1 || year > 9999) throw new GraphQLError('DateTime must lie in the years 1 to 9999.');
  return instant;
}
