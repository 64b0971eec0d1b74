import { Keyset } from './keyset.ts';
import type { Order, Window } from './page-args.ts';
import type { AnyRow } from './read-plan.ts';
import { conjunction, identifier, join, literal, type Sql, sql } from './sql.ts';
import { base64url } from './sql-json.ts';
import type { Column, Table } from './table.ts';

/** Rows in between: those for which `linked` holds. They lead to rows whose `at` is their `to`. */
interface Way {
  readonly link: Table;
  readonly linked: Sql;
  readonly to: Sql;
  readonly at: string;
}

/** The rows of a list: which, in what order, how many, and the page of them that is asked for. */
export class Listing {
  readonly sort: Column;
  readonly orderName: string;
  private readonly keyset: Keyset;
  private readonly isSortedByLink: boolean;

  constructor(
    private readonly table: Table,
    { by, name, direction }: Order<AnyRow, AnyRow>,
    private readonly ways: readonly Way[],
    private readonly conditions: readonly Sql[],
  ) {
    this.orderName = `${name} ${direction}`;
    this.isSortedByLink = typeof by !== 'string';
    this.sort = typeof by === 'string' ? table.column(by) : (ways[0] as Way).link.column(by.link);
    this.keyset = new Keyset(this.sort, table.row.id as Sql, direction === 'ASC');
  }

  count(): Sql {
    const { table, conditions } = this;
    const [way, ...others] = this.ways;
    // Where any row will do, there are as many as the links lead to.
    if (way?.at === 'id' && others.length === 0 && conditions.length === 0) {
      return sql`(select count(*) from (select distinct ${way.to} from ${way.link.named} where ${way.linked}) as reached)`;
    }
    const reached = this.ways.map((each) => sql`exists(${this.linksTo(each)})`);
    return sql`(select count(*) from ${table.named} where ${conjunction([...reached, ...conditions])})`;
  }

  /** The page, under the name of `page`. One row more than the limit shows whether there are more. */
  pageOf({ limit, offset, backward, after, before }: Window, page: Table) {
    const { keyset } = this;
    const within = [...(after ? [keyset.behind(after)] : []), ...(before ? [keyset.ahead(before)] : [])];
    const cut = this.cut(within, backward, limit + 1, offset);
    const [number, size] = [identifier(page.alias, '$number'), identifier(page.alias, '$size')];
    const numbers = sql`row_number() over () as "$number", count(*) over () as "$size"`;

    const sortValue = this.sort.asJson(identifier(page.alias, '$sort'));
    const cursor = base64url(
      sql`${literal(`["${this.orderName}",`)} || to_json(${sortValue})::text || ',' || ${page.row.id} || ']'`,
    );
    const cursorAt = (place: Sql) => sql`max(${cursor}) filter (where ${number} = ${place})`;
    const [nearest, farthest] = [literal(1), sql`least(${size}, ${literal(limit)})`];

    const more = sql`count(*) > ${literal(limit)}`;
    const earlier = () => (after ? this.any(keyset.notBehind(after), true) : offset > 0 ? this.any() : null);
    const later = () => (before ? this.any(keyset.notAhead(before), false) : null);
    return {
      table: page,
      named: sql`(select *, ${numbers} from (${cut}) as cut) as ${identifier(page.alias)}`,
      cursor,
      /** What is said of each row of the page, in the list's order. */
      each: (item: Sql) => {
        const ordered = backward ? sql`${item} order by ${number} desc` : item;
        return sql`coalesce(json_agg(${ordered}) filter (where ${number} <= ${literal(limit)}), '[]')`;
      },
      pageInfo: {
        hasNextPage: () => or(later(), backward ? null : more),
        hasPreviousPage: () => or(earlier(), backward ? more : null),
        startCursor: () => cursorAt(backward ? farthest : nearest),
        endCursor: () => cursorAt(backward ? nearest : farthest),
      },
    };
  }

  private any(within?: Sql, backward = false): Sql {
    // The nearest, which an index finds: PostgreSQL might look for any through half of the table.
    return sql`exists(select from (${this.cut(within ? [within] : [], backward, 1, 0)}) as nearest)`;
  }

  /** The first rows in their order, with what they are sorted by as `$sort`. */
  private cut(within: readonly Sql[], backward: boolean, limit: number, offset: number): Sql {
    const { table, sort, keyset } = this;
    const [way, ...others] = this.ways;
    const conditions = [...this.conditions, ...others.map((other) => this.isReached(other)), ...within];
    const columns = sql`${identifier(table.alias)}.*, ${sort.sql} as "$sort"`;
    const cut = sql`limit ${literal(limit)}${offset > 0 ? sql` offset ${offset}` : sql``}`;
    const ordered = sql`order by ${keyset.orderBy(backward)}`;
    if (!way) return sql`select ${columns} from ${table.named} where ${conjunction(conditions)} ${ordered} ${cut}`;

    const joined = sql`${way.to} = ${table.row[way.at]}`;
    if (this.isSortedByLink) {
      const all = conjunction([way.linked, joined, ...conditions]);
      return sql`select ${columns} from ${way.link.named} cross join ${table.named} where ${all} ${ordered} ${cut}`;
    }

    // PostgreSQL plans without knowing how many links there are, and each way is slow where the other is fast. Of a few
    // links the first rows of each are sorted; among the rows of many, the first are soon found by going through all.
    const most = offset > 0 ? sql`${limit + offset}::int` : literal(limit);
    const first = (...reached: Sql[]) => sql`select ${table.row.id} as "$id", ${sort.sql} as "$sort"
      from ${table.named} where ${conjunction([...reached, ...conditions])} ${ordered} limit ${most}`;
    const howMany = sql`(select count(*) from "$links")`;
    const place = (alias: string) => keyset.orderBy(backward, identifier(alias, '$sort'), identifier(alias, '$id'));
    return sql`select ${identifier(table.alias)}.*, cut."$sort" from (
        with "$links" as materialized (
          select ${way.to} as "$to" from ${way.link.named} where ${way.linked} limit ${literal(FEW + 1)}
        )
        select * from (
          (select first.* from (select distinct "$to" from "$links") as "$links" cross join lateral (${first(sql`"$links"."$to" = ${table.row[way.at]}`)}) as first
            where ${howMany} <= ${literal(FEW)})
          union all (${first(sql`${howMany} > ${literal(FEW)}`, this.isReached(way))})
        ) as found order by ${place('found')} ${cut}
      ) as cut join ${table.named} on ${table.row.id} = cut."$id" order by ${place('cut')}`;
  }

  /** The offset keeps PostgreSQL from making a join of it, and so from sorting all that is reached. */
  private isReached(way: Way): Sql {
    return sql`exists(${this.linksTo(way)} offset 0)`;
  }

  /** Those that lead to the row. */
  private linksTo({ link, linked, to, at }: Way): Sql {
    return sql`select from ${link.named} where ${linked} and ${to} = ${this.table.row[at]}`;
  }
}

/** So many links are looked at one by one. */
const FEW = 500;

const or = (...conditions: readonly (Sql | null)[]): Sql => {
  const given = conditions.filter((condition) => condition !== null);
  return given.length === 0 ? sql`false` : sql`(${join(given, ' or ')})`;
};
