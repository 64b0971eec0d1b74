import { isStorable } from '../../database/storable.ts';
import { foldAccents, STROKED } from '../../text/fold-accents.ts';
import { nameKey } from '../../text/fold-case.ts';
import type { Hits } from '../read-plan.ts';
import { identifier, literal, type Sql, sql, toStatement } from '../sql.ts';

/**
 * Finds the names of users and tags that begin with a query or are similar to it, ignoring case and accents. Similarity is that
 * of the extension pg_trgm: the share of trigrams that two names have in common. It uses only functions that PostgreSQL has
 * without an extension, since not every owner of a database may create one.
 */

/** The indexes of a column of name keys that the search needs. */
export const nameIndexes = (table: string, column: string) => {
  const key = identifier(column);
  return [
    index(`${table}_by_start_of_name`, table, sql`btree ((${folded(key)}) collate "C")`),
    index(`${table}_by_parts_of_name`, table, sql`gin ((${parts(key)}))`),
  ] as const;
};

/** The names that equal what was typed, begin with it, or contain it or are similar to it. The scores are in this order. */
export function nameHits(key: Sql, typed: string): Hits[] {
  const typedKey = keyOf(typed);
  if (typedKey === null) return [];
  const start = foldAccents(typedKey);
  const name = folded(key);
  const [from, to] = [sql`${name} collate "C" >= ${start}`, sql`${name} collate "C" < ${start + LAST_CHARACTER}`];
  const isEqual = sql`case when ${name} = ${start} then ${literal(SCORES.equal)} + (${key} = ${typedKey})::int end`;
  const begins: Hits = {
    where: sql`${from} and ${to}`,
    score: sql`coalesce(${isEqual}, ${literal(SCORES.begins)} - least(char_length(${name}), 999))`,
    orderBy: sql`${name} collate "C"`,
    most: MOST_NAMES,
  };
  const searched = partsOf(start);
  if (searched.length < FEWEST_PARTS || searched.length > MOST_PARTS) return [begins];
  const pairs = pairsOf(searched).map((pair) => sql`${parts(key)} @> ${pair}::text[]`);
  return [
    begins,
    {
      where: sql`(${any(pairs)})`,
      // Not a condition: if all that have the pairs begin with the query, the whole table would be read for others.
      score: sql`case when ${from} and ${to} then -1 else ${similarity(key, start, searched)} end`,
      most: MOST_SIMILAR,
    },
  ];
}

/** The name with what was typed marked at its beginning, as HTML; null if it begins in another way. */
export function nameTextMatch(name: Sql, key: Sql, typed: string): Sql {
  const typedKey = keyOf(typed);
  if (typedKey === null) return sql`null::text`;
  const start = foldAccents(typedKey);
  const size = [...start].length;
  const asHtml = (text: Sql) =>
    sql`replace(replace(replace(replace(replace(${text}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;')`;
  const begins = sql`starts_with(${folded(key)}, ${start}) and char_length(${folded(key)}) = char_length(${name})`;
  return sql`case when ${begins}
    then '<mark>' || ${asHtml(sql`left(${name}, ${size}::int)`)} || '</mark>' || ${asHtml(sql`substr(${name}, ${size}::int + 1)`)} end`;
}

/** What was typed as the key of a name, without the quotes of a phrase; null if it can be no part of a name. */
function keyOf(typed: string): string | null {
  const key = nameKey(typed.replaceAll('"', ' ').trim());
  return foldAccents(key) === '' || !isStorable(key) ? null : key;
}

/** The key without accents, as `foldAccents` makes it. */
const folded = (key: Sql): Sql =>
  sql`translate(regexp_replace(normalize(${key}, nfd), '[\\u0300-\\u036f]', '', 'g'), ${literal(STROKED.letters)}, ${literal(STROKED.plain)})`;

/**
 * The parts of three letters of a name, with two spaces before it and one after it, and some shorter ones. They are separated by a
 * capital letter, which no key has.
 */
function parts(key: Sql): Sql {
  const from = (place: number) =>
    sql`regexp_replace(substr('  ' || ${folded(key)} || ' ', ${literal(place)}), '(...)', '\\1X', 'g')`;
  return sql`string_to_array(${from(1)} || 'X' || ${from(2)} || 'X' || ${from(3)}, 'X')`;
}

function partsOf(name: string): string[] {
  const letters = [...`  ${name} `];
  return [...new Set(letters.slice(2).map((_, at) => letters.slice(at, at + 3).join('')))];
}

/**
 * Pairs of neighbouring parts, always the same number of them, so that the statement is prepared once. A name that differs in one
 * letter has at least one of the pairs, and few other names have one.
 */
function pairsOf(all: readonly string[]): string[][] {
  const last = all.length - 2;
  const start = last < 5 ? 0 : 1; // many names have the same first two letters
  const places = Array.from({ length: PAIRS }, (_, at) => start + Math.round((at * (last - start)) / (PAIRS - 1)));
  return places.map((place) => all.slice(place, place + 2));
}

/** The score by similarity: below 0, which is no hit, if it is less than LEAST_SIMILARITY. */
function similarity(key: Sql, start: string, searched: readonly string[]): Sql {
  const name = folded(key);
  const size = sql`char_length(${name})`;
  const common = sql`(select count(distinct part) from unnest(${parts(key)}) as part where part = any(${searched}::text[]))`;
  const share = sql`${common}::float8 / (${size} + 1 + ${searched.length}::int - ${common})`;
  const contained = sql`case when position(${start}::text in ${name}) > 0 then 0.5 + ${[...start].length}::int / (2.0 * ${size}) end`;
  return sql`floor((greatest(${share}, ${contained}) - ${literal(LEAST_SIMILARITY)}) * 1000)::int + ${literal(SCORES.similar)}`;
}

const any = (conditions: readonly Sql[]): Sql => conditions.reduce((one, other) => sql`${one} or ${other}`);

const index = (name: string, table: string, on: Sql) => ({
  name,
  expression: toStatement(sql`create index ${identifier(name)} on ${identifier(table)} using ${on}`).text,
});

/** As in pg_trgm. */
const LEAST_SIMILARITY = 0.3;

/** Those of a name of four letters. Shorter ones are similar to too many others. */
const FEWEST_PARTS = 5;
const MOST_PARTS = 100;
const PAIRS = 6;

/** Names that begin with the query, the first in alphabetical order. */
const MOST_NAMES = 500;

/** Names of which the similarity is computed. */
const MOST_SIMILAR = 2_000;

/** The least score of each kind. Names come before articles if they equal the query or begin with it, else after them. */
export const SCORES = { similar: 0, articles: 1_000, begins: 4_000_000, equal: 5_000_000 } as const;

/** A text followed by this comes after every text that begins with it. */
const LAST_CHARACTER = '\u{10ffff}';
