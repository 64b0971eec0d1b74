import {
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
} from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { literal, type Sql } from '../sql.ts';

/** A response name, its nodes, and the field. `__typename` has no field definition. */
export type Selected = readonly [string, readonly FieldNode[], GraphQLField<unknown, unknown> | undefined];

export type FieldsOf = (type: GraphQLOutputType, nodes: readonly FieldNode[]) => Selected[];

/** The fields of a selection by response name. */
export const fieldsOf =
  (schema: GraphQLSchema, { fragments, variableValues }: GraphQLResolveInfo): FieldsOf =>
  (type, nodes) => {
    const object = getNamedType(type) as GraphQLObjectType;
    const fields = object.getFields();
    const selected = collectSubfields(schema, fragments, variableValues, object, nodes);
    return [...selected].map(([name, of]) => [name, of, fields[of[0]?.name.value ?? '']] as const);
  };

export const typeName = (type: GraphQLOutputType): Sql => literal(getNamedType(type).name);
