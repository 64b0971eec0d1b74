import type { Position } from './page-args.ts';
import { raw, type Sql, sql } from './sql.ts';
import type { Column } from './table.ts';

/**
 * The order of a list, and where a position stands in it: comparisons of (sort value, id), which an index on both serves
 * however deep in the list a page is. The id breaks ties, so that no item stands in the same place as another.
 */
export class Keyset {
  constructor(
    private readonly sort: Column,
    private readonly id: Sql,
    private readonly ascending: boolean,
  ) {}

  behind = (position: Position): Sql => this.compare(this.ascending ? '>' : '<', position);
  ahead = (position: Position): Sql => this.compare(this.ascending ? '<' : '>', position);
  notBehind = (position: Position): Sql => this.compare(this.ascending ? '<=' : '>=', position);
  notAhead = (position: Position): Sql => this.compare(this.ascending ? '>=' : '<=', position);

  orderBy(backward: boolean, sort = this.sort.sql, id = this.id): Sql {
    const direction = raw(this.ascending === backward ? 'desc' : 'asc');
    return sql`${sort} ${direction}, ${id} ${direction}`;
  }

  private compare(operator: '<' | '<=' | '>' | '>=', [value, id]: Position): Sql {
    const position = sql`(${value}::${raw(this.sort.type)}, ${id}::int)`;
    return sql`(${this.sort.sql}, ${this.id}) ${raw(operator)} ${position}`;
  }
}
