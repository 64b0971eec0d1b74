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
import { ListQuery } from '../list-query.ts';
import { listPage } from '../lists/list-page.ts';
import { scoredRows, UnionQuery, type UnionRows } from '../lists/union-query.ts';
import { type Order, parsePageArgs } from '../page-args.ts';
import type {
  AnyRow,
  Links,
  List,
  Page,
  Ranking,
  ReadContext,
  ReadFieldMethod,
  ReadPlan,
  Union,
  UnionMember,
} from '../read-plan.ts';
import { RowConditions } from '../row-conditions.ts';
import { base64url, identifier, join, jsonObject, literal, Sql, sql } from '../sql.ts';
import type { Link, Table } from '../table.ts';
import { compileOnce } from './compile-once.ts';
import { connectionSql, needsNumbers, textMatchesSql } from './connection-sql.ts';
import { type FieldsOf, fieldsOf, typeName } from './selection.ts';

/**
 * Compiles a plan and the GraphQL selection under it into one SQL expression, whose value is the JSON of the field. Nested
 * selections become subselects, so nothing is left to fetch or compute afterwards. ReadBatch sends the expressions.
 */
export const compile = (plan: ReadPlan, info: GraphQLResolveInfo, options: CompileOptions): Sql =>
  new Compiler(info, options).value(plan, options.type, info.fieldNodes);

interface CompileOptions {
  readonly viewer: ReadContext['viewer'];
  readonly schema: GraphQLSchema;
  readonly type: GraphQLOutputType;
  readonly tables: MetadataStorage;
  /** Whether objects selected through an interface carry their type in `$type`. */
  readonly typed: boolean;
}

class Compiler {
  private readonly rows: RowConditions;
  private readonly fieldsOf: FieldsOf;

  constructor(
    private readonly info: GraphQLResolveInfo,
    private readonly options: CompileOptions,
    tableCount = 0,
  ) {
    this.rows = new RowConditions(options.tables, options.viewer, tableCount);
    this.fieldsOf = fieldsOf(options.schema, info);
  }

  value(plan: ReadPlan, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    if (typeof plan === 'boolean') return literal(plan);
    if (plan instanceof Sql) return plan;
    switch (plan.kind) {
      case 'one': {
        const table = this.rows.table(plan.entity, 'found');
        const where = this.rows.where(plan.where, table);
        return sql`(select ${this.object(type, nodes, table)} from ${table.aliased} where ${where})`;
      }
      case 'count': {
        const table = this.rows.table(plan.entity, 'listed');
        return sql`(select count(*) from ${table.aliased} where ${this.rows.where(plan.where, table)})`;
      }
      case 'exists':
        return this.rows.exists(plan);
      case 'each':
        return sql`json_build_array(${join(
          // Not a parameter: PostgreSQL could not infer the type of a null parameter.
          plan.plans.map((one) => (one === null ? sql`null` : this.value(one, type, nodes))),
          ', ',
        )})`;
      case 'list':
        return this.list(plan, type, nodes);
      case 'page':
        return this.page(plan, type, nodes);
      case 'union':
        return this.union(plan, type, nodes);
    }
  }

  private list({ entity, through, orderBy, of }: List, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    const link = this.rows.table(through.entity, 'found');
    const table = this.rows.table(entity, 'found');
    const item = of?.(table.columns) ?? this.object(type, nodes, table);
    // One lookup per link: given a join, PostgreSQL tends to hash the whole table for a handful of rows.
    const lookup = sql`(select ${item} from ${table.aliased} where ${table.columns.id} = ${link.columns[through.to]})`;
    const items = sql`coalesce(json_agg(${lookup} order by ${orderBy(link.columns)}), '[]')`;
    return sql`(select ${items} from ${link.aliased} where ${this.rows.where(through.where, link)})`;
  }

  private page(plan: Page, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    const { entity, args, scope = 'listed', textMatches } = plan;
    const list = this.listOf(plan, this.rows.table(entity, scope));
    const window = parsePageArgs(args, nodes[0]?.name.value ?? '', list.orderName, list.sort.kind);
    const table = this.rows.allRows(entity);
    const fields = this.fieldsOf(type, nodes);
    const isNumbered = needsNumbers(window, fields);
    const page = listPage(list, window, { alias: table.alias, id: table.columns.id as Sql, isNumbered });
    return connectionSql(type, fields, page, {
      fieldsOf: this.fieldsOf,
      count: () => list.count(),
      object: (of, below) => this.object(of, below, table),
      textMatches: (of, below) => textMatchesSql(of, this.fieldsOf(of, below), textMatches?.(table.columns) ?? {}),
    });
  }

  private listOf({ through, where, order }: Omit<Page, 'kind' | 'entity' | 'args'>, table: Table): ListQuery {
    const links = [through ?? []].flat().map((link) => this.link(link));
    const { by } = order as Order<AnyRow, AnyRow>;
    const ranking = typeof by === 'object' && 'ranking' in by ? (by.ranking as Ranking) : null;
    return new ListQuery(
      table,
      order as Order<AnyRow, AnyRow>,
      links,
      where === undefined ? [] : this.rows.conditions(where, table),
      ranking && {
        preferred: this.link(ranking.preferred),
        score: ranking.score((links[0] as Link).table.columns),
        newestBy: ranking.newestBy,
      },
    );
  }

  private union({ members, args }: Union, type: GraphQLOutputType, nodes: readonly FieldNode[]): Sql {
    const list = new UnionQuery(members.map((member) => this.unionRows(member)));
    const window = parsePageArgs(args, nodes[0]?.name.value ?? '', list.orderName, list.sort.kind);
    const alias = '$page';
    const id = identifier(alias, '$id');
    const ofRow = (value: (table: Table, member: UnionMember) => Sql) => {
      const values = members.map((member) => {
        const table = this.rows.table(member.entity, 'listed');
        return sql`(select ${value(table, member)} from ${table.aliased} where ${table.columns.id} = ${id})`;
      });
      return list.byTable(alias, values);
    };
    const fields = this.fieldsOf(type, nodes);
    const isNumbered = needsNumbers(window, fields);
    return connectionSql(type, fields, listPage(list, window, { alias, id, isNumbered }), {
      fieldsOf: this.fieldsOf,
      count: () => list.count(),
      object: (of, below) => ofRow((table) => this.object(of, below, table)),
      textMatches: (of, below) =>
        ofRow((table, { textMatches }) =>
          textMatchesSql(of, this.fieldsOf(of, below), textMatches?.(table.columns) ?? {}),
        ),
    });
  }

  private unionRows(member: UnionMember): UnionRows {
    const { precedence } = member;
    const table = this.rows.table(member.entity, 'listed');
    if (member.hits) return { precedence, ...scoredRows(table, member.hits(table.columns)) };
    const list = this.listOf(member, table);
    const scored = sql`select "$id", "$sort" + ${literal(member.shift)} as "$sort" from (${list.ranked()}) as "$ranked"`;
    return { precedence, scored, count: list.count() };
  }

  private link({ entity, where, to, at, few, copied }: Links<unknown>): Link {
    const table = this.rows.table(entity, 'found');
    return { table, where: this.rows.where(where, table), to: table.columns[to] as Sql, at, few, copied };
  }

  private object(type: GraphQLOutputType, nodes: readonly FieldNode[], table: Table): Sql {
    const { viewer, typed } = this.options;
    const place = [table.alias, this.rows.tableCount, table.entity.className, getNamedType(type).name, typed].join(' ');
    const { sql, tableCount } = compileOnce(nodes, this.info.fragments, place, viewer, (viewer) => {
      const once = new Compiler(this.info, { ...this.options, viewer }, this.rows.tableCount);
      return { sql: once.compileObject(type, nodes, table), tableCount: once.rows.tableCount };
    });
    this.rows.tableCount = tableCount;
    return sql;
  }

  private compileObject(type: GraphQLOutputType, nodes: readonly FieldNode[], table: Table): Sql {
    const named = getNamedType(type);
    const concrete = (
      isObjectType(named) ? named : this.options.schema.getType(table.entity.className)
    ) as GraphQLObjectType;
    const pairs = this.fieldsOf(concrete, nodes).map(([name, fieldNodes, field]): [string, Sql] => {
      if (!field) return [name, typeName(concrete)];
      const readPlan = field.extensions.readPlan as ReadFieldMethod | undefined;
      if (readPlan) {
        const args = getArgumentValues(field, fieldNodes[0] as FieldNode, this.info.variableValues);
        const plan = readPlan(table.columns, { args, viewer: this.options.viewer });
        return [name, this.value(plan, field.type, fieldNodes)];
      }
      const column = table.column(field.name);
      if (field.name === 'id') return [name, base64url(sql`${literal(`${concrete.name}:`)} || ${column.sql}`)];
      return [name, column.asJson(column.sql)];
    });
    if (named !== concrete && this.options.typed) pairs.push(['$type', typeName(concrete)]);
    return jsonObject(pairs);
  }
}
