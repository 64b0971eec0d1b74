import type { EntityMetadata, EntityProperty } from '@mikro-orm/core';
import type { SortKind } from './page-args.ts';
import type { AnyRow, Columns } from './read-plan.ts';
import { identifier, type Sql, sql } from './sql.ts';

/** A table under a name of its own in the statement. What there is to know of it comes from MikroORM's metadata. */
export class Table {
  readonly named: Sql;
  readonly row: Columns<AnyRow>;
  private readonly columns: ReadonlyMap<string, Column>;

  constructor(
    readonly entity: EntityMetadata,
    readonly alias: string,
  ) {
    this.named = sql`${identifier(entity.tableName)} as ${identifier(alias)}`;
    this.row = new Proxy({} as Columns<AnyRow>, { get: (_, property) => this.column(String(property)).sql });
    const properties = entity.props as EntityProperty[];
    this.columns = new Map(
      properties.flatMap(({ name, fieldNames: [column] = [], columnTypes: [type = ''] = [] }) =>
        column ? [[name, new Column(identifier(alias, column), type)]] : [],
      ),
    );
  }

  column(property: string): Column {
    const found = this.columns.get(property);
    if (!found) throw new Error(`${this.entity.className}.${property} is no column; give it a @ReadField.`);
    return found;
  }
}

/**
 * The table with this number in an expression; those of others, in the same statement, do not see it. The first ones are kept:
 * what is said of them is said again and again.
 */
export function numberedTable(entity: EntityMetadata, number: number): Table {
  const tables = kept.get(entity) ?? [];
  kept.set(entity, tables);
  const table = tables[number] ?? new Table(entity, `t${number}`);
  if (number < MOST_KEPT) tables[number] = table;
  return table;
}

const kept = new WeakMap<EntityMetadata, Table[]>();
const MOST_KEPT = 50;

export class Column {
  readonly kind: SortKind;

  constructor(
    readonly sql: Sql,
    readonly type: string,
  ) {
    this.kind = type.startsWith('timestamptz') ? 'date' : type === 'int' ? 'number' : 'text';
  }

  /** Instants as RFC 3339 in UTC, always with milliseconds; PostgreSQL's own JSON form depends on the session. */
  asJson(value: Sql): Sql {
    return this.kind === 'date' ? sql`to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')` : value;
  }
}
