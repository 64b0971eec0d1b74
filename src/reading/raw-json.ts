import {
  type FormattedExecutionResult,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  isInputType,
  isNonNullType,
} from 'graphql';

/** The value of a query field as the database wrote it: complete JSON, which needs no further processing. */
export class RawJson {
  constructor(readonly json: string) {}
}

/**
 * The queries of a schema with every result type replaced by a scalar, so that GraphQL executes them without completing
 * each value. Documents are still validated against the original schema.
 */
export function withoutCompletion(schema: GraphQLSchema): GraphQLSchema {
  const { fields, ...query } = (schema.getQueryType() as GraphQLObjectType).toConfig();
  const flat = Object.entries(fields).map(([name, field]) => {
    return [name, { ...field, type: isNonNullType(field.type) ? new GraphQLNonNull(scalar) : scalar }];
  });
  return new GraphQLSchema({
    query: new GraphQLObjectType({ ...query, fields: Object.fromEntries(flat) }),
    types: Object.values(schema.getTypeMap()).filter(isInputType), // for variables
  });
}

const scalar = new GraphQLScalarType({ name: 'RawJson' });

/** The response body, with raw JSON inserted as it is. */
export function stringifyResult({ data, ...rest }: FormattedExecutionResult): string {
  if (!data) return JSON.stringify({ ...rest, data });
  const fields = Object.entries(data).map(([name, value]) => {
    return `${JSON.stringify(name)}:${value instanceof RawJson ? value.json : JSON.stringify(value)}`;
  });
  const others = JSON.stringify(rest).slice(1, -1);
  return `{"data":{${fields.join(',')}}${others ? `,${others}` : ''}}`;
}
