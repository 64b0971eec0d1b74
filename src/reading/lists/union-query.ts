import { Keyset } from '../keyset.ts';
import { SCORE } from '../list-query.ts';
import type { Hits } from '../read-plan.ts';
import { conjunction, identifier, join, literal, type Sql, sql } from '../sql.ts';
import type { Table } from '../table.ts';
import type { OrderedRows } from './list-page.ts';

/** Rows of one table in a list of several. */
export interface UnionRows {
  /** Unique in the list. Of equal scores, rows of the greater precedence come first. */
  readonly precedence: number;
  /** The rows with their scores, which are no less than 0, in any order, as `$id` and `$sort`. */
  readonly scored: Sql;
  /** The number of all rows. */
  readonly count: Sql;
}

/**
 * A list of rows of several tables, the highest score first. The sort value contains the table too, so that it identifies a row
 * together with the id, and a cursor is the same as in any other list.
 */
export class UnionQuery implements OrderedRows {
  readonly sort = SCORE;
  readonly orderName = 'SCORE DESC';
  readonly keyset = new Keyset(SCORE, identifier('$id'), false);

  constructor(private readonly members: readonly UnionRows[]) {}

  count(): Sql {
    const counts = this.members.map(({ count }) => count);
    return counts.length === 0 ? literal(0) : sql`(${join(counts, ' + ')})`;
  }

  rows(within: readonly Sql[], backward: boolean, limit: number, offset: number): Sql {
    const tables = this.members.map(
      ({ scored, precedence }) =>
        sql`(select "$id", "$sort" * ${literal(PRECEDENCES)} + ${literal(precedence)} as "$sort" from (${scored}) as "$scored")`,
    );
    const all = tables.length === 0 ? NO_ROWS : join(tables, ' union all ');
    const cut = sql`limit ${literal(limit)}${offset > 0 ? sql` offset ${offset}` : sql``}`;
    return sql`select * from (${all}) as "$union" where ${conjunction(within)} order by ${this.keyset.orderBy(backward)} ${cut}`;
  }

  /** The one of the expressions, which are in the order of the tables, that belongs to the table of a row of the page. */
  byTable(alias: string, expressions: readonly Sql[]): Sql {
    if (expressions.length === 0) return sql`null::json`;
    const cases = this.members.map(({ precedence }, at) => sql`when ${literal(precedence)} then ${expressions[at]}`);
    return sql`case ${identifier(alias, '$sort')} % ${literal(PRECEDENCES)} ${join(cases, ' ')} end`;
  }
}

/** The hits of a table within their bounds, and the number of all of them. */
export function scoredRows(table: Table, hits: readonly Hits[]): Omit<UnionRows, 'precedence'> {
  const id = table.columns.id as Sql;
  const bounded = hits.map(({ where, score, orderBy, most }, at) => {
    const rows = sql`select ${id} as "$id", ${score} as "$sort" from ${table.aliased} where ${where}`;
    const bound = sql`limit ${literal(most)}`;
    if (orderBy) return { rows: sql`(${rows} order by ${orderBy} ${bound})` };
    // Planned for all rows: for the first of them, PostgreSQL would read the table instead of the index.
    const name = identifier(`$hits${at}`);
    return { rows: sql`(select * from ${name} ${bound})`, all: sql`${name} as materialized (${rows})` };
  });
  const named = bounded.flatMap(({ all }) => all ?? []);
  const scored = sql`${named.length > 0 ? sql`with ${join(named, ', ')} ` : sql``}select * from
    (${join(
      bounded.map(({ rows }) => rows),
      ' union all ',
    )}) as "$hits" where "$sort" >= 0`;
  const counts = hits.map(
    ({ where, score }) => sql`(select count(*) from ${table.aliased} where ${where} and ${score} >= 0)`,
  );
  return hits.length === 0 ? { scored: NO_ROWS, count: literal(0) } : { scored, count: sql`(${join(counts, ' + ')})` };
}

const NO_ROWS = sql`select 0 as "$id", 0 as "$sort" where false`;

/** More than the greatest precedence. */
const PRECEDENCES = 8;
