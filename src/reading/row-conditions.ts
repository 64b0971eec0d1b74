import type { MetadataStorage } from '@mikro-orm/core';
import { isStorable } from '../database/storable.ts';
import {
  type AnyEntityClass,
  type AnyRow,
  type AnyWhere,
  type Condition,
  type Exists,
  type PickedColumn,
  type ReadContext,
  type Scope,
  visibilityOf,
} from './read-plan.ts';
import { conjunction, literal, Sql, sql } from './sql.ts';
import { numberedTable, Table } from './table.ts';

/** Compiles conditions on rows to SQL. Each table is read as the viewer sees it. */
export class RowConditions {
  constructor(
    private readonly tables: MetadataStorage,
    private readonly viewer: ReadContext['viewer'],
    /** How many aliases are in use. */
    public tableCount = 0,
  ) {}

  /** A table under an alias of its own, with only the rows of the scope. */
  table(entity: AnyEntityClass, scope: Scope): Table {
    const metadata = this.tables.get(entity);
    const visibility = visibilityOf(entity);
    if (!visibility) return this.allRows(entity);
    const inner = new Table(metadata, metadata.tableName);
    const where = this.where((row) => visibility[scope](row, this.viewer), inner);
    this.tableCount += 1;
    return new Table(metadata, `t${this.tableCount}`, sql`(select * from ${inner.name} where ${where})`);
  }

  /** A table under an alias of its own. */
  allRows(entity: AnyEntityClass): Table {
    this.tableCount += 1;
    return numberedTable(this.tables.get(entity), this.tableCount);
  }

  where(where: AnyWhere, table: Table): Sql {
    return conjunction(this.conditions(where, table));
  }

  conditions(where: AnyWhere, table: Table): Sql[] {
    const given = typeof where === 'function' ? where(table.columns) : where;
    return (isList(given) ? given : [given]).filter((part) => part !== true).map((part) => this.condition(part, table));
  }

  exists({ entity, where }: Exists): Sql {
    const table = this.table(entity, 'found');
    return sql`exists(select 1 from ${table.aliased} where ${this.where(where, table)})`;
  }

  pick({ entity, property, where }: PickedColumn): Sql {
    const table = this.table(entity, 'found');
    return sql`(select ${table.column(property).sql} from ${table.aliased} where ${this.where(where, table)})`;
  }

  private condition(condition: Condition<AnyRow>, table: Table): Sql {
    if (typeof condition === 'boolean') return literal(condition);
    if (condition instanceof Sql) return condition;
    if (isList(condition)) return this.where(condition, table);
    if (isExists(condition)) return this.exists(condition);
    return conjunction(
      Object.entries(condition).map(([property, value]) => {
        // A value that cannot be stored equals no stored value; PostgreSQL would fail on it.
        if (typeof value === 'string' && !isStorable(value)) return sql`false`;
        return sql`${table.column(property).sql} = ${isPickedColumn(value) ? this.pick(value) : value}`;
      }),
    );
  }
}

const isList = (condition: Condition<AnyRow>): condition is readonly Condition<AnyRow>[] => Array.isArray(condition);
const isPickedColumn = (value: unknown): value is PickedColumn =>
  typeof value === 'object' && value !== null && 'kind' in value;
const isExists = (condition: object): condition is Exists => 'kind' in condition && condition.kind === 'exists';
