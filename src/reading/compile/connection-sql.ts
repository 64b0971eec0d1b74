import type { FieldNode, GraphQLOutputType } from 'graphql';
import type { ListPage } from '../lists/list-page.ts';
import type { PageWindow } from '../page-args.ts';
import { identifier, join, jsonObject, literal, type Sql, sql } from '../sql.ts';
import { type FieldsOf, type Selected, typeName } from './selection.ts';

/** Whether the rows of a page need numbers: `pageInfo` asks for their positions, and a page that is read backward is turned by them. */
export const needsNumbers = ({ backward }: PageWindow, fields: readonly Selected[]): boolean =>
  backward || fields.some(([, , field]) => field?.name === 'pageInfo');

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
