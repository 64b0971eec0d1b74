import type { MetadataStorage } from '@mikro-orm/core';
import {
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isObjectType,
} from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { ListQuery } from '../list-query.ts';
import { type ListPage, listPage } from '../lists/list-page.ts';
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

/** How a connection reads its count and the objects of its rows. */
interface PageParts {
  readonly count: () => Sql;
  readonly object: (type: GraphQLOutputType, nodes: readonly FieldNode[]) => Sql;
  readonly textMatches: (type: GraphQLOutputType, nodes: readonly FieldNode[]) => Sql;
}

class Compiler {
  private readonly rows: RowConditions;

  constructor(
    private readonly info: GraphQLResolveInfo,
    private readonly options: CompileOptions,
    tableCount = 0,
  ) {
    this.rows = new RowConditions(options.tables, options.viewer, tableCount);
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
    const fields = this.fieldsOf(getNamedType(type) as GraphQLObjectType, nodes);
    const isNumbered = window.backward || fields.some(isPageInfo);
    const page = listPage(list, window, { alias: table.alias, id: table.columns.id as Sql, isNumbered });
    return this.connection(type, fields, page, {
      count: () => list.count(),
      object: (of, below) => this.object(of, below, table),
      textMatches: (of, below) => this.textMatches(of, below, textMatches?.(table.columns) ?? {}),
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
    const fields = this.fieldsOf(getNamedType(type) as GraphQLObjectType, nodes);
    const isNumbered = window.backward || fields.some(isPageInfo);
    return this.connection(type, fields, listPage(list, window, { alias, id, isNumbered }), {
      count: () => list.count(),
      object: (of, below) => ofRow((table) => this.object(of, below, table)),
      textMatches: (of, below) =>
        ofRow((table, { textMatches }) => this.textMatches(of, below, textMatches?.(table.columns) ?? {})),
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

  private connection(type: GraphQLOutputType, fields: readonly Selected[], page: ListPage, parts: PageParts): Sql {
    const connection = getNamedType(type) as GraphQLObjectType;
    let needsRows = false;
    const pairs = fields.map(([name, fieldNodes, field]): [string, Sql] => {
      needsRows ||= ['nodes', 'edges', 'pageInfo'].includes(field?.name ?? '');
      switch (field?.name) {
        case 'nodes':
          return [name, page.each(parts.object(field.type, fieldNodes))];
        case 'edges':
          return [name, page.each(this.edge(field.type, fieldNodes, page, parts))];
        case 'pageInfo': {
          const pageInfo = getNamedType(field.type) as GraphQLObjectType;
          const selected = this.fieldsOf(pageInfo, fieldNodes);
          const value = (of: string) => page.pageInfo[of as keyof typeof page.pageInfo]();
          return [
            name,
            jsonObject(selected.map(([part, , of]) => [part, of ? value(of.name) : typeName(pageInfo.name)])),
          ];
        }
        case 'totalCount':
          return [name, parts.count()];
        default:
          return [name, typeName(connection.name)];
      }
    });
    // `group by ()` yields one row, also where the selection takes nothing from the rows.
    return needsRows ? sql`(select ${jsonObject(pairs)} from ${page.aliased} group by ())` : jsonObject(pairs);
  }

  private link({ entity, where, to, at, few, copied }: Links<unknown>): Link {
    const table = this.rows.table(entity, 'found');
    return { table, where: this.rows.where(where, table), to: table.columns[to] as Sql, at, few, copied };
  }

  private edge(type: GraphQLOutputType, nodes: readonly FieldNode[], page: ListPage, parts: PageParts): Sql {
    const edge = getNamedType(type) as GraphQLObjectType;
    return jsonObject(
      this.fieldsOf(edge, nodes).map(([name, fieldNodes, field]) => {
        if (field?.name === 'cursor') return [name, page.cursor];
        if (field?.name === 'textMatches') return [name, parts.textMatches(field.type, fieldNodes)];
        return [name, field ? parts.object(field.type, fieldNodes) : typeName(edge.name)];
      }),
    );
  }

  private textMatches(type: GraphQLOutputType, nodes: readonly FieldNode[], found: Readonly<Record<string, Sql>>): Sql {
    const fragments = Object.entries(found).map(
      ([name, fragment], at) => sql`(${literal(at)}, ${literal(name)}, ${fragment})`,
    );
    if (fragments.length === 0) return sql`'[]'::json`;
    const match = getNamedType(type) as GraphQLObjectType;
    const item = jsonObject(
      this.fieldsOf(match, nodes).map(([name, , field]) => [
        name,
        field ? identifier('match', field.name) : typeName(match.name),
      ]),
    );
    return sql`(select coalesce(json_agg(${item} order by at) filter (where fragment is not null), '[]')
      from (values ${join(fragments, ', ')} offset 0) as match (at, field, fragment))`;
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
      if (!field) return [name, typeName(concrete.name)];
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
    if (named !== concrete && this.options.typed) pairs.push(['$type', typeName(concrete.name)]);
    return jsonObject(pairs);
  }

  /** The fields of a selection by response name. `__typename` has no field definition. */
  private fieldsOf(type: GraphQLObjectType, nodes: readonly FieldNode[]): Selected[] {
    const { fragments, variableValues } = this.info;
    const fields = type.getFields();
    const selected = collectSubfields(this.options.schema, fragments, variableValues, type, nodes);
    return [...selected].map(([name, of]) => [name, of, fields[of[0]?.name.value ?? '']] as const);
  }
}

/** A response name, its nodes, and the field. */
type Selected = readonly [string, readonly FieldNode[], GraphQLField<unknown, unknown> | undefined];

const isPageInfo = ([, , field]: Selected): boolean => field?.name === 'pageInfo';

const typeName = (name: string): Sql => literal(name);
