import { Keyset } from './keyset.ts';
import type { Order, PageWindow } from './page-args.ts';
import type { AnyRow } from './read-plan.ts';
import { base64url, conjunction, identifier, join, literal, type Sql, sql } from './sql.ts';
import type { Column, Table } from './table.ts';

/** The rows of a join table that match `where`. They lead to the list's rows whose `at` equals their `to`. */
interface Link {
  readonly table: Table;
  readonly where: Sql;
  readonly to: Sql;
  readonly at: string;
}

/** The SQL of a list: its rows, their order, their count, and one page of them. */
export class ListQuery {
  readonly sort: Column;
  readonly orderName: string;
  private readonly keyset: Keyset;
  private readonly isSortedByLink: boolean;

  constructor(
    private readonly table: Table,
    { by, name, direction }: Order<AnyRow, AnyRow>,
    private readonly links: readonly Link[],
    private readonly conditions: readonly Sql[],
  ) {
    this.orderName = `${name} ${direction}`;
    this.isSortedByLink = typeof by !== 'string';
    this.sort = typeof by === 'string' ? table.column(by) : (links[0] as Link).table.column(by.link);
    this.keyset = new Keyset(this.sort, table.columns.id as Sql, direction === 'ASC');
  }

  count(): Sql {
    const { table, conditions } = this;
    const [link, ...others] = this.links;
    // Without other conditions, counting the distinct ids in the join table is enough.
    if (link?.at === 'id' && others.length === 0 && conditions.length === 0 && !table.rows) {
      return sql`(select count(*) from (select distinct ${link.to} from ${link.table.aliased} where ${link.where}) as reached)`;
    }
    const linked = this.links.map((each) => sql`exists(${this.linksTo(each)})`);
    return sql`(select count(*) from ${table.aliased} where ${conjunction([...linked, ...conditions])})`;
  }

  /** One page, under the alias of `page`. Reading one row more than the limit shows whether more rows follow. */
  page({ limit, offset, backward, after, before }: PageWindow, page: Table) {
    const { keyset } = this;
    const within = [...(after ? [keyset.after(after)] : []), ...(before ? [keyset.before(before)] : [])];
    const rows = this.rows(within, backward, limit + 1, offset);
    const [number, size] = [identifier(page.alias, '$number'), identifier(page.alias, '$size')];
    const numbers = sql`row_number() over () as "$number", count(*) over () as "$size"`;

    const sortValue = this.sort.asJson(identifier(page.alias, '$sort'));
    const cursor = base64url(
      sql`${literal(`["${this.orderName}",`)} || to_json(${sortValue})::text || ',' || ${page.columns.id} || ']'`,
    );
    const cursorAt = (rowNumber: Sql) => sql`max(${cursor}) filter (where ${number} = ${rowNumber})`;
    const [first, last] = [literal(1), sql`least(${size}, ${literal(limit)})`];

    const more = sql`count(*) > ${literal(limit)}`;
    const earlier = () => (after ? this.hasRows(keyset.atOrBefore(after), true) : offset > 0 ? this.hasRows() : null);
    const later = () => (before ? this.hasRows(keyset.atOrAfter(before), false) : null);
    return {
      table: page,
      aliased: sql`(select *, ${numbers} from (${rows}) as cut) as ${identifier(page.alias)}`,
      cursor,
      /** A JSON array with `item` of each row of the page, in the list's order. */
      each: (item: Sql) => {
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

  private hasRows(within?: Sql, backward = false): Sql {
    // Ordered, so that an index finds the nearest row. Without an order PostgreSQL might scan half of the table.
    return sql`exists(select from (${this.rows(within ? [within] : [], backward, 1, 0)}) as nearest)`;
  }

  /** The first rows in order, with their sort value as `$sort`. */
  private rows(within: readonly Sql[], backward: boolean, limit: number, offset: number): Sql {
    const { table, sort, keyset } = this;
    const [link, ...others] = this.links;
    const conditions = [...this.conditions, ...others.map((other) => this.isLinked(other)), ...within];
    const columns = sql`${identifier(table.alias)}.*, ${sort.sql} as "$sort"`;
    const cut = sql`limit ${literal(limit)}${offset > 0 ? sql` offset ${offset}` : sql``}`;
    const ordered = sql`order by ${keyset.orderBy(backward)}`;
    if (!link) return sql`select ${columns} from ${table.aliased} where ${conjunction(conditions)} ${ordered} ${cut}`;

    const joined = sql`${link.to} = ${table.columns[link.at]}`;
    if (this.isSortedByLink) {
      const all = conjunction([link.where, joined, ...conditions]);
      return sql`select ${columns} from ${link.table.aliased} cross join ${table.aliased} where ${all} ${ordered} ${cut}`;
    }

    // PostgreSQL plans without knowing how many links there are, and each strategy is slow where the other is fast. With few
    // links, the first rows of each are sorted. With many, scanning the list in order soon finds enough linked rows.
    const most = offset > 0 ? sql`${limit + offset}::int` : literal(limit);
    const first = (...linked: Sql[]) => sql`select ${table.columns.id} as "$id", ${sort.sql} as "$sort"
      from ${table.aliased} where ${conjunction([...linked, ...conditions])} ${ordered} limit ${most}`;
    const linkCount = sql`(select count(*) from "$links")`;
    const orderOf = (alias: string) => keyset.orderBy(backward, identifier(alias, '$sort'), identifier(alias, '$id'));
    return sql`select ${identifier(table.alias)}.*, cut."$sort" from (
        with "$links" as materialized (
          select ${link.to} as "$to" from ${link.table.aliased} where ${link.where} limit ${literal(FEW_LINKS + 1)}
        )
        select * from (
          (select first.* from (select distinct "$to" from "$links") as "$links" cross join lateral (${first(sql`"$links"."$to" = ${table.columns[link.at]}`)}) as first
            where ${linkCount} <= ${literal(FEW_LINKS)})
          union all (${first(sql`${linkCount} > ${literal(FEW_LINKS)}`, this.isLinked(link))})
        ) as found order by ${orderOf('found')} ${cut}
      ) as cut join ${table.aliased} on ${table.columns.id} = cut."$id" order by ${orderOf('cut')}`;
  }

  /** `offset 0` keeps PostgreSQL from turning this into a join and then sorting every linked row. */
  private isLinked(link: Link): Sql {
    return sql`exists(${this.linksTo(link)} offset 0)`;
  }

  private linksTo({ table, where, to, at }: Link): Sql {
    return sql`select from ${table.aliased} where ${where} and ${to} = ${this.table.columns[at]}`;
  }
}

/** Up to this number, the rows of each link are read separately. */
const FEW_LINKS = 500;

const or = (...conditions: readonly (Sql | null)[]): Sql => {
  const given = conditions.filter((condition) => condition !== null);
  return given.length === 0 ? sql`false` : sql`(${join(given, ' or ')})`;
};
