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
import type { ListPage } from '../lists/list-page.ts';
import { identifier, join, jsonObject, literal, type Sql, sql } from '../sql.ts';

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

export const isPageInfo = ([, , field]: Selected): boolean => field?.name === 'pageInfo';

export const typeName = (type: GraphQLOutputType): Sql => literal(getNamedType(type).name);

/** How a connection reads its selections, its count and the objects of its rows. */
export interface ConnectionParts {
  readonly fieldsOf: FieldsOf;
  readonly count: () => Sql;
  readonly object: (type: GraphQLOutputType, nodes: readonly FieldNode[]) => Sql;
  readonly textMatches: (type: GraphQLOutputType, nodes: readonly FieldNode[]) => Sql;
}

/** The JSON of a connection from one page of its list. */
export function connectionSql(
  type: GraphQLOutputType,
  fields: readonly Selected[],
  page: ListPage,
  parts: ConnectionParts,
): Sql {
  const { fieldsOf } = parts;
  let needsRows = false;
  const pairs = fields.map(([name, nodes, field]): [string, Sql] => {
    needsRows ||= ['nodes', 'edges', 'pageInfo'].includes(field?.name ?? '');
    switch (field?.name) {
      case 'nodes':
        return [name, page.each(parts.object(field.type, nodes))];
      case 'edges':
        return [name, page.each(edgeSql(field.type, fieldsOf(field.type, nodes), page, parts))];
      case 'pageInfo':
        return [name, pageInfoSql(field.type, fieldsOf(field.type, nodes), page)];
      case 'totalCount':
        return [name, parts.count()];
      default:
        return [name, typeName(type)];
    }
  });
  // `group by ()` yields one row, also where the selection takes nothing from the rows.
  return needsRows ? sql`(select ${jsonObject(pairs)} from ${page.aliased} group by ())` : jsonObject(pairs);
}

const edgeSql = (type: GraphQLOutputType, fields: readonly Selected[], page: ListPage, parts: ConnectionParts): Sql =>
  jsonObject(
    fields.map(([name, nodes, field]) => {
      if (field?.name === 'cursor') return [name, page.cursor];
      if (field?.name === 'textMatches') return [name, parts.textMatches(field.type, nodes)];
      return [name, field ? parts.object(field.type, nodes) : typeName(type)];
    }),
  );

const pageInfoSql = (type: GraphQLOutputType, fields: readonly Selected[], { pageInfo }: ListPage): Sql =>
  jsonObject(
    fields.map(([name, , field]) => [name, field ? pageInfo[field.name as keyof typeof pageInfo]() : typeName(type)]),
  );

/** The fragments that were found, by the field that they are of. */
export function textMatchesSql(
  type: GraphQLOutputType,
  fields: readonly Selected[],
  found: Readonly<Record<string, Sql>>,
): Sql {
  const fragments = Object.entries(found).map(
    ([name, fragment], at) => sql`(${literal(at)}, ${literal(name)}, ${fragment})`,
  );
  if (fragments.length === 0) return sql`'[]'::json`;
  const item = jsonObject(
    fields.map(([name, , field]) => [name, field ? identifier('match', field.name) : typeName(type)]),
  );
  return sql`(select coalesce(json_agg(${item} order by at) filter (where fragment is not null), '[]')
    from (values ${join(fragments, ', ')} offset 0) as match (at, field, fragment))`;
}
