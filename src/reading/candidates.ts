import { identifier, literal, type Sql, sql } from './sql.ts';
import type { Link, Table } from './table.ts';

/** A list that is ordered by a score of its first link. */
interface RankedList {
  readonly table: Table;
  readonly link: Link;
  /** Links to rows that are never left out for others. */
  readonly preferred: Link;
  /** Whether the list has other conditions. */
  readonly isFiltered: boolean;
  /** The newest rows of the list that links lead to, or of all, as `$id` and `$sort`. */
  readonly newest: (link: Link | null, most: number) => Sql;
}

/** Which rows of a list get a score, as `$id`: it would take too long to score all that a frequent word leads to. */
export function candidates(list: RankedList): Sql {
  const newest = newestLinked(list);
  if (list.isFiltered) return newest;
  const table = literal(list.link.table.entity.tableName);
  const isLarge = sql`(select reltuples >= ${literal(LARGE)} from pg_class where oid = ${table}::regclass)`;
  return sql`select "$id" from (${newest}) as newest where not ${isLarge}
    union select "$id" from (${sampled(list)}) as sampled where ${isLarge}`;
}

/** The newest rows that links lead to, and the newest that preferred links lead to. */
function newestLinked({ link, preferred, newest }: RankedList): Sql {
  const ids = (by: Link) => sql`select "$id" from (${newest(by, MOST_CANDIDATES)}) as newest`;
  return sql`${ids(preferred)} union ${ids(link)}`;
}

/**
 * Linked rows of a large table, found in less time. PostgreSQL's index returns all links at once, which takes long for a word that is
 * in a tenth of all rows. So links that are frequent among the newest rows are not taken from the index, but found among more of the
 * newest rows. Of other links, the index gives any.
 */
function sampled({ table, link, preferred, newest }: RankedList): Sql {
  const leadsToNewest = ({ table, where, to }: Link) =>
    sql`exists(select from ${table.aliased} where ${where} and ${to} = newest."$id" offset 0)`;
  const isFrequent = (flag: Sql) => sql`(select count(*) from "$sample" where ${flag}) > ${literal(FREQUENT)}`;
  const [isMatch, isPreferred] = [identifier('$isMatch'), identifier('$isPreferred')];
  const taken = ({ to, where, table }: Link, flag: Sql) => sql`(select ${to} as "$to" from ${table.aliased}
    where ${where} and not ${isFrequent(flag)} limit ${literal(MOST_CANDIDATES)})`;
  return sql`with "$sample" as materialized (
      select "$id", ${leadsToNewest(link)} as ${isMatch}, ${leadsToNewest(preferred)} as ${isPreferred}
      from (${newest(null, SAMPLE)}) as newest
    )
    select "$id" from (${taken(preferred, isPreferred)} union ${taken(link, isMatch)}) as "$links"
      cross join lateral (select ${table.columns.id} as "$id" from ${table.aliased} where ${table.columns.id} = "$to" offset 0) as reached
    union select "$id" from "$sample" where ${isMatch}
    union (select "$id" from (${newest(null, MOST_LOOKED_THROUGH)}) as newest
      where ${isFrequent(isMatch)} and ${leadsToNewest(link)}
      order by "$sort" desc, "$id" desc limit ${literal(MOST_CANDIDATES)})`;
}

/** How many rows are taken from the links, and from the preferred ones. */
export const MOST_CANDIDATES = 500;

/** A table of at least this number of links is sampled, as PostgreSQL counted them last. */
export const LARGE = 100_000;

/** How many of the newest rows are looked through for frequent links. */
const MOST_LOOKED_THROUGH = 5_000;

/** Links to more than this number of the sampled rows are frequent. */
const FREQUENT = 10;
/** The number of newest rows among which links are counted. Rows found there are candidates too. */
const SAMPLE = 500;
