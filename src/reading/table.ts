import type { EntityMetadata, EntityProperty } from '@mikro-orm/core';
import type { SortKind } from './page-args.ts';
import type { AnyRow, Columns } from './read-plan.ts';
import { identifier, type Sql, sql } from './sql.ts';

/** A table under an alias, described by MikroORM's metadata. */
export class Table {
  readonly name: Sql;
  /** The table with its alias, for a from clause. */
  readonly aliased: Sql;
  readonly columns: Columns<AnyRow>;
  private readonly properties: Readonly<Record<string, EntityProperty>>;
  private readonly columnsByProperty = new Map<string, Column>();

  constructor(
    readonly entity: EntityMetadata,
    readonly alias: string,
    /** A subquery for the rows that may be seen, where these are not all. */
    readonly rows?: Sql,
  ) {
    this.properties = entity.properties as Record<string, EntityProperty>;
    this.name = identifier(entity.tableName);
    this.aliased = sql`${rows ?? this.name} as ${identifier(alias)}`;
    this.columns = new Proxy({} as Columns<AnyRow>, { get: (_, property) => this.column(String(property)).sql });
  }

  /** Made when it is first used: most tables of a statement use few of theirs. */
  column(property: string): Column {
    const made = this.columnsByProperty.get(property);
    if (made) return made;
    const { fieldNames: [name] = [], columnTypes: [type = ''] = [] } = this.properties[property] ?? {};
    if (!name) throw new Error(`${this.entity.className}.${property} is not a column; give it a @ReadField.`);
    const column = new Column(identifier(this.alias, name), type);
    this.columnsByProperty.set(property, column);
    return column;
  }
}

/**
 * The table under the alias `t<number>`. Expressions in one statement may reuse an alias, since each is a scope of its own.
 * The first numbers are cached, because nearly every statement uses them.
 */
export function numberedTable(entity: EntityMetadata, number: number): Table {
  const tables = cached.get(entity) ?? [];
  cached.set(entity, tables);
  const table = tables[number] ?? new Table(entity, `t${number}`);
  if (number < MAX_CACHED) tables[number] = table;
  return table;
}

const cached = new WeakMap<EntityMetadata, Table[]>();
const MAX_CACHED = 50;

/** The rows of a join table that match `where`. They lead to the list's rows whose `at` equals their `to`, with equal `copied` columns. */
export interface Link {
  readonly table: Table;
  readonly where: Sql;
  readonly to: Sql;
  readonly at: string;
  readonly copied: readonly string[];
  /** Up to this number of links, the rows of each are read. */
  readonly few?: number | undefined;
}

export class Column {
  readonly kind: SortKind;

  constructor(
    readonly sql: Sql,
    readonly type: string,
  ) {
    this.kind = type.startsWith('timestamptz') ? 'date' : type === 'int' ? 'number' : 'text';
  }

  /** The column as it is sorted in a collation. */
  collate(collation: string): Column {
    return new Column(sql`${this.sql} collate ${identifier(collation)}`, this.type);
  }

  /** Dates as RFC 3339 in UTC, always with milliseconds. PostgreSQL's own JSON form depends on the session. */
  asJson(value: Sql): Sql {
    return this.kind === 'date' ? sql`to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')` : value;
  }
}
