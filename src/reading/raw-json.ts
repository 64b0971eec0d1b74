import {
  type FormattedExecutionResult,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  isInputType,
  isNonNullType,
} from 'graphql';

/** The answer of a query field as the database wrote it: JSON, in which nothing is left to do. */
export class RawJson {
  constructor(readonly json: string) {}
}

/**
 * The same queries, to be executed without a look at what is in their answers. Documents are validated by the schema itself;
 * of this one everything that a field answers with is a scalar.
 */
export function withoutCompletion(schema: GraphQLSchema): GraphQLSchema {
  const { fields, ...query } = (schema.getQueryType() as GraphQLObjectType).toConfig();
  const flat = Object.entries(fields).map(([name, field]) => {
    return [name, { ...field, type: isNonNullType(field.type) ? new GraphQLNonNull(scalar) : scalar }];
  });
  return new GraphQLSchema({
    query: new GraphQLObjectType({ ...query, fields: Object.fromEntries(flat) }),
    types: Object.values(schema.getTypeMap()).filter(isInputType), // of variables
  });
}

const scalar = new GraphQLScalarType({ name: 'RawJson' });

/** The body of a response: JSON, around the answers that are JSON already. */
export function stringifyResult({ data, ...rest }: FormattedExecutionResult): string {
  if (!data) return JSON.stringify({ ...rest, data });
  const fields = Object.entries(data).map(([name, value]) => {
    return `${JSON.stringify(name)}:${value instanceof RawJson ? value.json : JSON.stringify(value)}`;
  });
  const others = JSON.stringify(rest).slice(1, -1);
  return `{"data":{${fields.join(',')}}${others ? `,${others}` : ''}}`;
}
