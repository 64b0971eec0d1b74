import type { EntityMetadata, EntityProperty } from '@mikro-orm/core';
import { sql } from 'kysely';
import type { SortKind } from './page.ts';
import type { AnyRow, Row, Sql } from './reading.ts';

/** A table under a name of its own in the statement. What there is to know of it comes from MikroORM's metadata. */
export class Table {
  readonly named: Sql;
  readonly row: Row<AnyRow>;

  constructor(
    readonly entity: EntityMetadata,
    readonly alias: string,
  ) {
    this.named = sql`${sql.table(entity.tableName)} as ${sql.ref(alias)}`;
    this.row = new Proxy({} as Row<AnyRow>, { get: (_, property) => this.column(String(property)).sql });
  }

  column(property: string): Column {
    const found = this.entity.properties[property as never] as EntityProperty | undefined;
    const [name] = found?.fieldNames ?? [];
    if (!found || !name) throw new Error(`${this.entity.className}.${property} is no column; give it a @ReadField.`);
    return new Column(sql.ref(`${this.alias}.${name}`), found.columnTypes[0] ?? '');
  }
}

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
