import type { Keyset } from '../keyset.ts';
import type { PageWindow } from '../page-args.ts';
import { base64url, identifier, join, literal, type Sql, sql } from '../sql.ts';
import type { Column } from '../table.ts';

/** A list from which pages are cut. */
export interface OrderedRows {
  readonly sort: Column;
  readonly orderName: string;
  readonly keyset: Keyset;
  /** The first rows in order, with their sort value as `$sort`. */
  rows(within: readonly Sql[], backward: boolean, limit: number, offset: number): Sql;
}

export type ListPage = ReturnType<typeof listPage>;

/**
 * One page, under the alias. If it is numbered, its rows have their number and there is one more than the limit, which shows whether more
 * rows follow: for `pageInfo`, and to turn a page that is read backward.
 */
export function listPage(
  list: OrderedRows,
  { limit, offset, backward, after, before }: PageWindow,
  { alias, id, isNumbered }: { alias: string; id: Sql; isNumbered: boolean },
) {
  const { keyset, sort, orderName } = list;
  const within = [...(after ? [keyset.after(after)] : []), ...(before ? [keyset.before(before)] : [])];
  const rows = list.rows(within, backward, isNumbered ? limit + 1 : limit, offset);
  const [number, size] = [identifier(alias, '$number'), identifier(alias, '$size')];
  const numbers = sql`row_number() over () as "$number", count(*) over () as "$size"`;

  const sortValue = sort.asJson(identifier(alias, '$sort'));
  const cursor = base64url(sql`${literal(`["${orderName}",`)} || to_json(${sortValue})::text || ',' || ${id} || ']'`);
  const cursorAt = (rowNumber: Sql) => sql`max(${cursor}) filter (where ${number} = ${rowNumber})`;
  const [first, last] = [literal(1), sql`least(${size}, ${literal(limit)})`];

  // Ordered, so that an index finds the nearest row. Without an order PostgreSQL might scan half of the table.
  const hasRows = (within: readonly Sql[] = [], backward = false) =>
    sql`exists(select from (${list.rows(within, backward, 1, 0)}) as nearest)`;
  const more = sql`count(*) > ${literal(limit)}`;
  const earlier = () => (after ? hasRows([keyset.atOrBefore(after)], true) : offset > 0 ? hasRows() : null);
  const later = () => (before ? hasRows([keyset.atOrAfter(before)]) : null);
  return {
    aliased: sql`(select *${isNumbered ? sql`, ${numbers}` : sql``} from (${rows}) as cut) as ${identifier(alias)}`,
    cursor,
    /** A JSON array with `item` of each row of the page, in the list's order. */
    each: (item: Sql) => {
      if (!isNumbered) return sql`coalesce(json_agg(${item}), '[]')`;
      const ordered = backward ? sql`${item} order by ${number} desc` : item;
      return sql`coalesce(json_agg(${ordered}) filter (where ${number} <= ${literal(limit)}), '[]')`;
    },
    pageInfo: {
      hasNextPage: () => or(later(), backward ? null : more),
      hasPreviousPage: () => or(earlier(), backward ? more : null),
      startCursor: () => cursorAt(backward ? last : first),
      endCursor: () => cursorAt(backward ? first : last),
    },
  };
}

const or = (...conditions: readonly (Sql | null)[]): Sql => {
  const given = conditions.filter((condition) => condition !== null);
  return given.length === 0 ? sql`false` : sql`(${join(given, ' or ')})`;
};
