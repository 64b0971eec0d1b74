import type { MetadataStorage } from '@mikro-orm/core';
import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  getArgumentValues,
  getNamedType,
  isObjectType,
} from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { sql } from 'kysely';
import { isStorable } from '../database/storable.ts';
import { Keyset } from './keyset.ts';
import { type Position, windowOf } from './page.ts';
import type {
  AnyEntity,
  AnyRow,
  AnyWhere,
  Asked,
  Condition,
  Exists,
  List,
  Page,
  Pick,
  Reading,
  Reads,
  Sql,
} from './reading.ts';
import { Table } from './table.ts';

/**
 * Turns a reading and the GraphQL selection under it into one SQL expression, whose value is the answer as JSON keyed by
 * response names. What is nested in the selection is a subselect of it, so nothing is left to fetch afterwards.
 */
export const statementFor = (
  reading: Reading,
  info: GraphQLResolveInfo,
  tables: MetadataStorage,
  viewer: Asked['viewer'],
): Sql => new Statement(info, tables, viewer).value(reading, info.returnType, info.fieldNodes);

/** A connection as the statement answers it; connection.ts makes a page of it. No GraphQL name can contain a `$`. */
export interface ReadConnection {
  readonly $limit: number;
  readonly $backward: boolean;
  /** One row more than the limit, if there is one, in the order they were found. */
  readonly $rows?: readonly ReadRow[];
  /** Whether something lies before `after` or `offset`, and behind `before`. */
  readonly $earlier?: boolean;
  readonly $later?: boolean;
  readonly $total?: number;
}

/** An item: the order, its position, and an object for each `nodes` or `edges` in the selection, by response name. */
export type ReadRow = { readonly $cursor: readonly [order: string, ...Position] } & Record<string, object>;

class Statement {
  private tableCount = 0;

  constructor(
    private readonly info: GraphQLResolveInfo,
    private readonly tables: MetadataStorage,
    private readonly viewer: Asked['viewer'],
  ) {}

  value(reading: Reading, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    if (typeof reading === 'boolean') return sql.lit(reading);
    if (!('kind' in reading)) return reading;
    switch (reading.kind) {
      case 'one': {
        const table = this.table(reading.entity);
        const found = this.where(reading.where, table);
        return sql`(select ${this.object(type, nodes, table)} from ${table.named} where ${found})`;
      }
      case 'count': {
        const table = this.table(reading.entity);
        return sql`(select count(*)::int from ${table.named} where ${this.where(reading.where, table)})`;
      }
      case 'exists':
        return this.exists(reading);
      case 'each':
        return sql`json_build_array(${sql.join(
          // Said in the text: PostgreSQL can not tell of which type a null would be as a parameter.
          reading.readings.map((one) => (one === null ? sql`null` : this.value(one, type, nodes))),
        )})`;
      case 'list':
        return this.list(reading, type, nodes);
      case 'page':
        return this.page(reading, type, nodes);
    }
  }

  private list(reading: List, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    const table = this.table(reading.entity);
    const link = reading.through ? this.table(reading.through) : table;
    const item = reading.of?.(table.row) ?? this.object(type, nodes, table);
    const items = sql`coalesce(json_agg(${item} order by ${reading.orderBy(table.row, link.row)}), '[]')`;
    return sql`(select ${items} from ${this.joined(table, link)} where ${this.where(reading.where, table, link)})`;
  }

  private page(reading: Page, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    const { order, args } = reading;
    const table = this.table(reading.entity);
    const link = reading.through ? this.table(reading.through) : table;
    const sort = typeof order.by === 'string' ? table.column(order.by) : link.column(order.by.link);
    const orderName = `${order.name} ${order.direction}`;
    const { after, before, ...window } = windowOf(args, nodes[0]?.name.value ?? '', orderName, sort.kind);
    const keyset = new Keyset(sort, table.column('id').sql, order.direction === 'ASC');
    const all = sql`from ${this.joined(table, link)} where ${this.where(reading.where, table, link)}`;

    // Sorted and cut on the bare rows first: only what is left on the page gets its objects built.
    const rows = () => {
      const within = [all, ...(after ? [keyset.behind(after)] : []), ...(before ? [keyset.ahead(before)] : [])];
      const cut = sql`order by ${keyset.orderBy(window.backward)} limit ${window.limit + 1} offset ${window.offset}`;
      const bare = sql`select ${sql.ref(table.alias)}.*, ${sort.sql} as "$sort" ${sql.join(within, sql` and `)} ${cut}`;
      const page = this.table(reading.entity);
      const sortValue = sort.asJson(sql.ref(`${page.alias}.$sort`));
      const cursor = sql`json_build_array(${sql.lit(orderName)}, ${sortValue}, ${page.column('id').sql})`;
      const item = this.pageItem(type, nodes, page, cursor);
      return sql`(select coalesce(json_agg(${item}), '[]') from (${bare}) as ${sql.ref(page.alias)})`;
    };
    const earlier = () =>
      after
        ? sql`exists(select 1 ${all} and ${keyset.notBehind(after)})`
        : window.offset > 0
          ? sql`exists(select 1 ${all})`
          : sql.lit(false);
    const later = () => (before ? sql`exists(select 1 ${all} and ${keyset.notAhead(before)})` : sql.lit(false));

    const fields = this.fieldsOf(getNamedType(type) as GraphQLObjectType, nodes);
    const asked = new Set([...fields.values()].map(([node]) => node?.name.value));
    const parts: [string, Sql][] = [
      ['$limit', sql.lit(window.limit)],
      ['$backward', sql.lit(window.backward)],
    ];
    if (asked.has('nodes') || asked.has('edges') || asked.has('pageInfo')) parts.push(['$rows', rows()]);
    if (asked.has('pageInfo')) parts.push(['$earlier', earlier()], ['$later', later()]);
    if (asked.has('totalCount')) parts.push(['$total', sql`(select count(*)::int ${all})`]);
    return jsonObject(parts);
  }

  /** The objects of one item: `nodes` and `edges` may each be selected more than once, under other names. */
  private pageItem(type: GraphQLOutputType, nodes: readonly FieldNode[], page: Table, cursor: Sql): Sql {
    const connection = getNamedType(type) as GraphQLObjectType;
    const objects: [string, Sql][] = [['$cursor', cursor]];
    for (const [name, fieldNodes] of this.fieldsOf(connection, nodes)) {
      const field = connection.getFields()[fieldNodes[0]?.name.value ?? ''];
      if (field?.name === 'nodes') objects.push([name, this.object(field.type, fieldNodes, page)]);
      if (field?.name !== 'edges') continue;
      const edge = getNamedType(field.type) as GraphQLObjectType;
      const node = edge.getFields().node;
      const inEdge = [...this.fieldsOf(edge, fieldNodes)].filter(([, [first]]) => first?.name.value === 'node');
      if (node) {
        objects.push([
          name,
          jsonObject(inEdge.map(([nodeName, nodeNodes]) => [nodeName, this.object(node.type, nodeNodes, page)])),
        ]);
      }
    }
    return jsonObject(objects);
  }

  private object(type: GraphQLOutputType, nodes: readonly FieldNode[], table: Table): Sql {
    const named = getNamedType(type);
    const concrete = isObjectType(named) ? named : this.info.schema.getType(table.entity.className);
    const pairs: [string, Sql][] = named === concrete ? [] : [['$type', sql.lit(table.entity.className)]];
    for (const [name, fieldNodes] of this.fieldsOf(concrete as GraphQLObjectType, nodes)) {
      const [node] = fieldNodes;
      const field = node && (concrete as GraphQLObjectType).getFields()[node.name.value];
      if (!field) continue; // __typename, which needs no row
      const reads = field.extensions.reads as Reads | undefined;
      if (!reads) {
        const column = table.column(field.name);
        pairs.push([name, column.asJson(column.sql)]);
        continue;
      }
      const args = getArgumentValues(field, node, this.info.variableValues);
      pairs.push([name, this.value(reads(table.row, { args, viewer: this.viewer }), field.type, fieldNodes)]);
    }
    return jsonObject(pairs);
  }

  private fieldsOf(type: GraphQLObjectType, nodes: readonly FieldNode[]) {
    const { schema, fragments, variableValues } = this.info;
    return collectSubfields(schema, fragments, variableValues, type, nodes);
  }

  private exists({ entity, where }: Exists): Sql {
    const table = this.table(entity);
    return sql`exists(select 1 from ${table.named} where ${this.where(where, table)})`;
  }

  private where(where: AnyWhere, table: Table, link = table): Sql {
    return this.condition(typeof where === 'function' ? where(table.row, link.row) : where, table);
  }

  private condition(condition: Condition<AnyRow>, table: Table): Sql {
    if (typeof condition === 'boolean') return sql.lit(condition);
    if (isList(condition)) return conjunction(condition.map((part) => this.condition(part, table)));
    if (isSql(condition)) return condition;
    if (isExists(condition)) return this.exists(condition);
    return conjunction(
      Object.entries(condition).map(([property, value]) => {
        // What can not be stored is equal to nothing that is; the database would rather fail than say so.
        if (typeof value === 'string' && !isStorable(value)) return sql`false`;
        return sql`${table.column(property).sql} = ${isPick(value) ? this.pick(value) : value}`;
      }),
    );
  }

  private pick({ entity, property, where }: Pick): Sql {
    const table = this.table(entity);
    return sql`(select ${table.column(property).sql} from ${table.named} where ${this.where(where, table)})`;
  }

  private table(entity: AnyEntity): Table {
    this.tableCount += 1;
    return new Table(this.tables.get(entity), `t${this.tableCount}`);
  }

  private joined = (table: Table, link: Table): Sql =>
    link === table ? table.named : sql`${link.named} cross join ${table.named}`;
}

/** PostgreSQL's functions take at most 100 arguments, so that larger objects are put together from parts. */
function jsonObject(pairs: readonly (readonly [string, Sql])[]): Sql {
  const build = (some: typeof pairs) => sql.join(some.flatMap(([name, value]) => [sql.lit(name), value]));
  if (pairs.length <= 50) return sql`json_build_object(${build(pairs)})`;
  const parts = Array.from({ length: Math.ceil(pairs.length / 50) }, (_, part) =>
    pairs.slice(part * 50, part * 50 + 50),
  );
  return sql`(${sql.join(
    parts.map((part) => sql`jsonb_build_object(${build(part)})`),
    sql` || `,
  )})`;
}

const conjunction = (parts: readonly Sql[]): Sql =>
  parts.length === 0 ? sql`true` : sql`(${sql.join(parts, sql` and `)})`;

const isList = (condition: Condition<AnyRow>): condition is readonly Condition<AnyRow>[] => Array.isArray(condition);
const isSql = (condition: object): condition is Sql => 'toOperationNode' in condition;
const isPick = (value: unknown): value is Pick => typeof value === 'object' && value !== null && 'kind' in value;
const isExists = (condition: object): condition is Exists => 'kind' in condition && condition.kind === 'exists';
