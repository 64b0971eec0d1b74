import type { MetadataStorage } from '@mikro-orm/core';
import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isObjectType,
} from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { isStorable } from '../database/storable.ts';
import { Listing } from './list-query.ts';
import { type Order, windowOf } from './page-args.ts';
import type {
  AnyEntityClass,
  AnyRow,
  AnyWhere,
  Condition,
  Exists,
  List,
  MadeOf,
  Page,
  Pick,
  ReadContext,
  ReadPlan,
} from './read-plan.ts';
import { conjunction, join, literal, Sql, sql } from './sql.ts';
import { base64url, jsonObject } from './sql-json.ts';
import { numberedTable, type Table } from './table.ts';

/**
 * Turns a reading and the GraphQL selection under it into one SQL expression, whose value is the answer: JSON as the client
 * gets it. What is nested in the selection is a subselect of it, so nothing is left to fetch or to work out afterwards. It is
 * sent by database/together.ts, with those of the other fields.
 */
export const statementFor = (reading: ReadPlan, info: GraphQLResolveInfo, asking: Asking): Sql =>
  new Statement(info, asking).value(reading, asking.type, info.fieldNodes);

interface Asking {
  readonly viewer: ReadContext['viewer'];
  readonly schema: GraphQLSchema;
  readonly type: GraphQLOutputType;
  readonly tables: MetadataStorage;
  /** Whether objects say in `$type` which of an interface's types they are of. */
  readonly typed: boolean;
}

class Statement {
  private tableCount = 0;

  constructor(
    private readonly info: GraphQLResolveInfo,
    private readonly asking: Asking,
  ) {}

  value(reading: ReadPlan, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    if (typeof reading === 'boolean') return literal(reading);
    if (reading instanceof Sql) return reading;
    switch (reading.kind) {
      case 'one': {
        const table = this.table(reading.entity);
        const found = this.where(reading.where, table);
        return sql`(select ${this.object(type, nodes, table)} from ${table.named} where ${found})`;
      }
      case 'count': {
        const table = this.table(reading.entity);
        return sql`(select count(*) from ${table.named} where ${this.where(reading.where, table)})`;
      }
      case 'exists':
        return this.exists(reading);
      case 'each':
        return sql`json_build_array(${join(
          // Said in the text: PostgreSQL can not tell of which type a null would be as a parameter.
          reading.readings.map((one) => (one === null ? sql`null` : this.value(one, type, nodes))),
          ', ',
        )})`;
      case 'list':
        return this.list(reading, type, nodes);
      case 'page':
        return this.page(reading, type, nodes);
    }
  }

  private list({ entity, through, orderBy, of }: List, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    const link = this.table(through.entity);
    const table = this.table(entity);
    const item = of?.(table.row) ?? this.object(type, nodes, table);
    // Looked up one by one: for a handful of rows PostgreSQL would rather read the whole table into a hash.
    const lookup = sql`(select ${item} from ${table.named} where ${table.row.id} = ${link.row[through.to]})`;
    const items = sql`coalesce(json_agg(${lookup} order by ${orderBy(link.row)}), '[]')`;
    return sql`(select ${items} from ${link.named} where ${this.where(through.where, link)})`;
  }

  private page(reading: Page, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    const { entity, through, where, order, args } = reading;
    const table = this.table(entity);
    const ways = [through ?? []].flat().map((way) => {
      const link = this.table(way.entity);
      return { link, linked: this.where(way.where, link), to: link.row[way.to] as Sql, at: way.at };
    });
    const list = new Listing(
      table,
      order as Order<AnyRow, AnyRow>,
      ways,
      where === undefined ? [] : this.conditions(where, table),
    );
    const window = windowOf(args, nodes[0]?.name.value ?? '', list.orderName, list.sort.kind);
    const rows = list.pageOf(window, this.table(entity));

    const connection = getNamedType(type) as GraphQLObjectType;
    let needsRows = false;
    const pairs = this.fieldsOf(connection, nodes).map(([name, fieldNodes, field]): [string, Sql] => {
      needsRows ||= ['nodes', 'edges', 'pageInfo'].includes(field?.name ?? '');
      switch (field?.name) {
        case 'nodes':
          return [name, rows.each(this.object(field.type, fieldNodes, rows.table))];
        case 'edges':
          return [name, rows.each(this.edge(field.type, fieldNodes, rows))];
        case 'pageInfo': {
          const pageInfo = getNamedType(field.type) as GraphQLObjectType;
          const parts = this.fieldsOf(pageInfo, fieldNodes);
          const value = (of: string) => rows.pageInfo[of as keyof typeof rows.pageInfo]();
          return [name, jsonObject(parts.map(([part, , of]) => [part, of ? value(of.name) : typeName(pageInfo.name)]))];
        }
        case 'totalCount':
          return [name, list.count()];
        default:
          return [name, typeName(connection.name)];
      }
    });
    // One group, and so one answer, also where the selection takes nothing from the rows.
    return needsRows ? sql`(select ${jsonObject(pairs)} from ${rows.named} group by ())` : jsonObject(pairs);
  }

  private edge(type: GraphQLOutputType, nodes: readonly FieldNode[], rows: ReturnType<Listing['pageOf']>): Sql {
    const edge = getNamedType(type) as GraphQLObjectType;
    return jsonObject(
      this.fieldsOf(edge, nodes).map(([name, fieldNodes, field]) => {
        if (field?.name === 'cursor') return [name, rows.cursor];
        return [name, field ? this.object(field.type, fieldNodes, rows.table) : typeName(edge.name)];
      }),
    );
  }

  private object(type: GraphQLOutputType, nodes: readonly FieldNode[], table: Table): Sql {
    const named = getNamedType(type);
    const concrete = (
      isObjectType(named) ? named : this.asking.schema.getType(table.entity.className)
    ) as GraphQLObjectType;
    const pairs = this.fieldsOf(concrete, nodes).map(([name, fieldNodes, field]): [string, Sql] => {
      if (!field) return [name, typeName(concrete.name)];
      const madeOf = field.extensions.madeOf as MadeOf | undefined;
      if (madeOf) {
        const args = getArgumentValues(field, fieldNodes[0] as FieldNode, this.info.variableValues);
        return [name, this.value(madeOf(table.row, { args, viewer: this.asking.viewer }), field.type, fieldNodes)];
      }
      const column = table.column(field.name);
      if (field.name === 'id') return [name, base64url(sql`${literal(`${concrete.name}:`)} || ${column.sql}`)];
      return [name, column.asJson(column.sql)];
    });
    if (named !== concrete && this.asking.typed) pairs.push(['$type', typeName(concrete.name)]);
    return jsonObject(pairs);
  }

  /** The fields of a selection by response name; none of the type's where it is `__typename`. */
  private fieldsOf(type: GraphQLObjectType, nodes: readonly FieldNode[]) {
    const { fragments, variableValues } = this.info;
    const fields = type.getFields();
    const selected = collectSubfields(this.asking.schema, fragments, variableValues, type, nodes);
    return [...selected].map(([name, of]) => [name, of, fields[of[0]?.name.value ?? '']] as const);
  }

  private exists({ entity, where }: Exists): Sql {
    const table = this.table(entity);
    return sql`exists(select 1 from ${table.named} where ${this.where(where, table)})`;
  }

  private where(where: AnyWhere, table: Table): Sql {
    return conjunction(this.conditions(where, table));
  }

  private conditions(where: AnyWhere, table: Table): Sql[] {
    const given = typeof where === 'function' ? where(table.row) : where;
    return (isList(given) ? given : [given]).filter((part) => part !== true).map((part) => this.condition(part, table));
  }

  private condition(condition: Condition<AnyRow>, table: Table): Sql {
    if (typeof condition === 'boolean') return literal(condition);
    if (condition instanceof Sql) return condition;
    if (isList(condition)) return this.where(condition, table);
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

  private table(entity: AnyEntityClass): Table {
    this.tableCount += 1;
    return numberedTable(this.asking.tables.get(entity), this.tableCount);
  }
}

const typeName = (name: string): Sql => literal(name);

const isList = (condition: Condition<AnyRow>): condition is readonly Condition<AnyRow>[] => Array.isArray(condition);
const isPick = (value: unknown): value is Pick => typeof value === 'object' && value !== null && 'kind' in value;
const isExists = (condition: object): condition is Exists => 'kind' in condition && condition.kind === 'exists';
