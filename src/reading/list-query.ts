import { candidates } from './candidates.ts';
import { Keyset } from './keyset.ts';
import type { OrderedRows } from './lists/list-page.ts';
import type { Order } from './page-args.ts';
import type { AnyRow } from './read-plan.ts';
import { conjunction, identifier, join, literal, type Sql, sql } from './sql.ts';
import { Column, type Link, type Table } from './table.ts';

/** An order by a score of the first link: see `Ranking` of read-plan.ts. */
interface RankedBy {
  readonly preferred: Link;
  readonly score: Sql;
  readonly newestBy: string;
}

/** The SQL of a list: its rows, their order, their count, and one page of them. */
export class ListQuery implements OrderedRows {
  readonly sort: Column;
  readonly orderName: string;
  readonly keyset: Keyset;
  private readonly isSortedByLink: boolean;

  constructor(
    private readonly table: Table,
    { by, name, direction, collation }: Order<AnyRow, AnyRow>,
    private readonly links: readonly Link[],
    private readonly conditions: readonly Sql[],
    private readonly ranking: RankedBy | null = null,
  ) {
    this.orderName = `${name} ${direction}`;
    this.isSortedByLink = typeof by !== 'string' && 'link' in by;
    const [link] = links as readonly [Link];
    const column = typeof by === 'string' ? table.column(by) : 'link' in by ? link.table.column(by.link) : SCORE;
    this.sort = collation ? column.collate(collation) : column;
    // Both columns of one table, so that one index serves them.
    const id = ranking ? CANDIDATE : this.isSortedByLink ? link.to : (table.columns.id as Sql);
    this.keyset = new Keyset(this.sort, id, direction === 'ASC');
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

  /** The rows of a ranked list that are scored, in any order, as `$id` and `$sort`. */
  ranked(): Sql {
    if (!this.ranking) throw new Error(`${this.orderName} is no order by a score.`);
    return this.scored(this.ranking, []);
  }

  /** The first rows in order, with their sort value as `$sort`. */
  rows(within: readonly Sql[], backward: boolean, limit: number, offset: number): Sql {
    const { table, sort, keyset } = this;
    const [link, ...others] = this.links;
    const columns = sql`${identifier(table.alias)}.*, ${sort.sql} as "$sort"`;
    const cut = sql`limit ${literal(limit)}${offset > 0 ? sql` offset ${offset}` : sql``}`;
    const ordered = sql`order by ${keyset.orderBy(backward)}`;
    if (this.ranking) return this.withRows(sql`${this.scored(this.ranking, within)} ${ordered} ${cut}`, backward);
    if (!link) {
      const all = conjunction([...this.conditions, ...within]);
      return sql`select ${columns} from ${table.aliased} where ${all} ${ordered} ${cut}`;
    }
    if (this.isSortedByLink) {
      const linked = others.map((other) => this.isLinked(other));
      const all = conjunction([link.where, this.leadsHere(link), ...this.conditions, ...linked, ...within]);
      return sql`select ${columns} from ${link.table.aliased} cross join ${table.aliased} where ${all} ${ordered} ${cut}`;
    }
    const most = offset > 0 ? sql`${limit + offset}::int` : literal(limit);
    const orderOfFound = keyset.orderBy(backward, identifier('found', '$sort'), identifier('found', '$id'));
    return this.withRows(sql`${this.linked(within, backward, most)} order by ${orderOfFound} ${cut}`, backward);
  }

  /** The rows of a page, given their ids and sort values. */
  private withRows(page: Sql, backward: boolean): Sql {
    const { table, keyset } = this;
    const order = keyset.orderBy(backward, identifier('cut', '$sort'), identifier('cut', '$id'));
    return sql`select ${identifier(table.alias)}.*, cut."$sort" from (${page}) as cut
      join ${table.aliased} on ${table.columns.id} = cut."$id" order by ${order}`;
  }

  /**
   * At least the first rows that all links lead to, in any order, as `$id` and `$sort`. PostgreSQL plans without knowing how many
   * links there are, and each strategy is slow where the other is fast. With few links of one kind, the first rows of each are
   * sorted. With many of every kind, scanning the list in order soon finds enough linked rows.
   */
  private linked(within: readonly Sql[], backward: boolean, most: Sql): Sql {
    const { table, links, sort, keyset } = this;
    const starts = links.slice(0, MOST_STARTS);
    const nameOf = (link: Link) => identifier(`$links${starts.indexOf(link)}`);
    const isMany = (link: Link) => sql`(select count(*) from ${nameOf(link)}) > ${literal(link.few ?? FEW_LINKS)}`;
    const rows = (
      conditions: readonly Sql[],
      cut: Sql,
    ) => sql`select ${table.columns.id} as "$id", ${sort.sql} as "$sort"
      from ${table.aliased} where ${conjunction([...conditions, ...this.conditions, ...within])} ${cut}`;
    const inOrder = sql`order by ${keyset.orderBy(backward)} limit ${most}`;

    const fetched = starts.map((link) => {
      const { to, where, few = FEW_LINKS } = link;
      return sql`${nameOf(link)} as materialized (
        select ${to} as "$to" from ${link.table.aliased} where ${where} limit ${literal(few + 1)})`;
    });
    const fromLinks = starts.map((link, index) => {
      const others = links.filter((other) => other !== link).map((other) => this.isLinked(other));
      const reached = sql`"$links"."$to" = ${table.columns[link.at]}`;
      const first = rows([reached, ...others], link.at === 'id' ? sql`offset 0` : inOrder);
      const isChosen = conjunction([...starts.slice(0, index).map(isMany), sql`not ${isMany(link)}`]);
      return sql`(select first.* from (select distinct "$to" from ${nameOf(link)}) as "$links" cross join lateral (${first}) as first
        where ${isChosen})`;
    });
    const scanned = rows([...starts.map(isMany), ...links.map((link) => this.isLinked(link))], inOrder);
    return sql`with ${join(fetched, ', ')}
      select * from (${join([...fromLinks, sql`(${scanned})`], ' union all ')}) as found`;
  }

  /** The candidates of a ranked list with their scores, as `$id` and `$sort`. */
  private scored({ score, newestBy, preferred }: RankedBy, within: readonly Sql[]): Sql {
    const { table, links, conditions } = this;
    const [link, ...others] = links as [Link, ...Link[]];
    const order = { by: newestBy, name: '', direction: 'DESC' } as const;
    const newest = (by: Link | null, most: number) =>
      new ListQuery(table, order, by ? [by, ...others] : others, conditions).first(literal(most));
    const isFiltered = others.length > 0 || conditions.length > 0;
    return sql`select "$id", "$sort" from (${candidates({ table, link, preferred, isFiltered, newest })}) as "$candidates"
      cross join lateral (select ${score} as "$sort" from ${link.table.aliased} where ${link.to} = "$id" offset 0) as "$scores"
      where ${conjunction(within)}`;
  }

  /** The first rows in order, as `$id` and `$sort`. */
  private first(most: Sql): Sql {
    const { table, sort, keyset } = this;
    if (this.links.length > 0) {
      const order = keyset.orderBy(false, identifier('found', '$sort'), identifier('found', '$id'));
      return sql`${this.linked([], false, most)} order by ${order} limit ${most}`;
    }
    return sql`select ${table.columns.id} as "$id", ${sort.sql} as "$sort" from ${table.aliased}
      where ${conjunction(this.conditions)} order by ${keyset.orderBy(false)} limit ${most}`;
  }

  /** `offset 0` keeps PostgreSQL from turning this into a join and then sorting every linked row. */
  private isLinked(link: Link): Sql {
    return sql`exists(${this.linksTo(link)} offset 0)`;
  }

  private linksTo(link: Link): Sql {
    return sql`select from ${link.table.aliased} where ${link.where} and ${this.leadsHere(link)}`;
  }

  private leadsHere({ table, to, at, copied }: Link): Sql {
    const { columns } = this.table;
    const equal = copied.map((name) => sql`${table.columns[name]} = ${columns[name]}`);
    return conjunction([sql`${to} = ${columns[at]}`, ...equal]);
  }
}

/** Up to this number, the rows of each link are read separately. */
const FEW_LINKS = 500;

/** The number of links that a list may start from. The others are conditions of its rows. */
const MOST_STARTS = 2;

const CANDIDATE = identifier('$id');
/** The sort value of rows that are ordered by a score. */
export const SCORE = new Column(identifier('$sort'), 'int');
