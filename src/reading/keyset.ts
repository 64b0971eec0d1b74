import type { Position } from './page-args.ts';
import { raw, type Sql, sql } from './sql.ts';
import type { Column } from './table.ts';

/**
 * Keyset pagination: the order of a list, and comparisons of (sort value, id) with a position in it. An index on both
 * columns serves them however deep in the list a page is. The id breaks ties, so that every position is unique.
 */
export class Keyset {
  constructor(
    private readonly sort: Column,
    private readonly id: Sql,
    private readonly ascending: boolean,
  ) {}

  after = (position: Position): Sql => this.compare(this.ascending ? '>' : '<', position);
  before = (position: Position): Sql => this.compare(this.ascending ? '<' : '>', position);
  atOrBefore = (position: Position): Sql => this.compare(this.ascending ? '<=' : '>=', position);
  atOrAfter = (position: Position): Sql => this.compare(this.ascending ? '>=' : '<=', position);

  orderBy(backward: boolean, sort = this.sort.sql, id = this.id): Sql {
    const direction = raw(this.ascending === backward ? 'desc' : 'asc');
    return sql`${sort} ${direction}, ${id} ${direction}`;
  }

  private compare(operator: '<' | '<=' | '>' | '>=', [value, id]: Position): Sql {
    const position = sql`(${value}::${raw(this.sort.type)}, ${id}::int)`;
    return sql`(${this.sort.sql}, ${this.id}) ${raw(operator)} ${position}`;
  }
}
