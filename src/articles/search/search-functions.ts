import { STROKED } from '../../text/fold-accents.ts';
import { CJK } from './letters.ts';

/**
 * The functions with which PostgreSQL updates the index of articles and reads it. Triggers call them, so that texts which other
 * programs write are found too. They need no extension. Each function is one line, since migrations write a statement on one line.
 */

/** Punctuation, symbols and emoji. A database of locale C treats them as letters. */
const SIGNS =
  '\\u0080-\\u00a9\\u00ab-\\u00b4\\u00b6-\\u00b9\\u00bb-\\u00bf\\u00d7\\u00f7\\u2000-\\u206f\\u20a0-\\u20cf\\u2100-\\u2bff\\u2e00-\\u2e7f\\u3000-\\u3004\\u3008-\\u3020\\u3030\\ufe00-\\ufe6f\\uff00-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65\\U0001f000-\\U0001faff';

const ASCII_SIGNS = "!\"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~";

/** The rest of a longer text with CJK letters is not indexed: PostgreSQL's limit is a megabyte of distinct words. */
const MOST_CJK_CHARACTERS = 50_000;

/** Characters of a body in which a fragment is looked for. */
const MOST_SEARCHED_FOR_FRAGMENT = 20_000;

/** A function without side effects. PL/pgSQL keeps its plans; a function in SQL is planned again in each statement that calls it. */
const pure = (signature: string, body: string) =>
  `create or replace function ${signature} language plpgsql immutable parallel safe as $$ ${body} $$`;

/**
 * The text with a space for each sign, and without accents. It has as many characters as the text in NFC, so a position in one is
 * the same position in the other.
 */
const FOLD = pure(
  'search_fold(text) returns text',
  [
    `declare signs text := '${ASCII_SIGNS}'; begin`,
    `if octet_length($1) = char_length($1) then return translate($1, signs, repeat(' ', 32)); end if;`,
    `return translate(regexp_replace(normalize(regexp_replace(normalize($1, nfd), '[\\u0300-\\u036f]', '', 'g'), nfc), '[${SIGNS}]', ' ', 'g'), '${STROKED.letters}' || signs, '${STROKED.plain}' || repeat(' ', 32)); end;`,
  ].join(' '),
);

/** The words of a text. A run of CJK letters becomes its pairs of neighbours, in order, and its last letter. */
const WORDS = pure(
  'search_words(text) returns text',
  [
    `declare folded text := search_fold($1); begin`,
    `if octet_length(folded) = char_length(folded) or folded !~ '[${CJK}]' then return folded; end if;`,
    `return (select string_agg(case when here ~ '[${CJK}]' then ' ' || here || case when next ~ '[${CJK}]' then next else '' end || ' ' else here end, '' order by place)`,
    `from (select here, place, lead(here) over (order by place) as next from regexp_split_to_table(left(folded, ${MOST_CJK_CHARACTERS}), '') with ordinality as letter (here, place)) as letters); end;`,
  ].join(' '),
);

/** The body of an article without markup: from its HTML, or as it is until it is rendered. */
const PLAIN_TEXT = pure(
  'search_plain_text(body text, body_html text) returns text',
  [
    `begin if $2 is null then return $1; end if;`,
    `return replace(replace(replace(replace(replace(regexp_replace($2, '<[^>]*>', ' ', 'g'), '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&#39;', ''''), '&amp;', '&'); end;`,
  ].join(' '),
);

/** The language in which texts are indexed and searched, as SQL. One that the database does not know stops no writer. */
export const LANGUAGE = `coalesce((select language from search_settings where exists (select from pg_ts_config where cfgname = language)), 'english')`;

/**
 * A query as users type it. A single CJK letter finds all pairs that begin with it. If the language leaves nothing of it, as of "the",
 * it is taken literally. One that excludes words without requiring any matches nothing: no index serves it.
 */
const QUERY = [
  `create or replace function search_query(text) returns tsquery language plpgsql stable as $$ declare query tsquery; begin`,
  `query := websearch_to_tsquery(${LANGUAGE}::regconfig, $1);`,
  `if numnode(query) = 0 then query := websearch_to_tsquery('simple', $1); end if;`,
  `if querytree(query) in ('', 'T') then return ''; end if;`,
  `return regexp_replace(query::text, '''([${CJK}])''', '''\\1'':*', 'g')::tsquery; end; $$`,
].join(' ');

/**
 * The part of a text that matches a query, as HTML: escaped, with <mark> around the words. Null if none matches. What PostgreSQL
 * marks in the folded text, with control characters, is taken from the original by its position. An accent that forms no character
 * with its letter has no position of its own in the folded text. PostgreSQL leaves out words of more than 2,047 bytes; then the
 * marked text is shown as it is.
 */
const FRAGMENT = [
  `create or replace function search_fragment(text, tsquery, options text) returns text language plpgsql stable as $$`,
  `declare original text := left(normalize($1, nfc), ${MOST_SEARCHED_FOR_FRAGMENT}); folded text := translate(search_fold(original), e'\\x01\\x02\\x03', '   ');`,
  `spaced text := regexp_replace(folded, '([${CJK}])', e'\\x03\\\\1\\x03', 'g');`,
  `marked text := ts_headline(${LANGUAGE}::regconfig, spaced, $2, e'StartSel=\\x01, StopSel=\\x02, ' || $3);`,
  `start int := position(translate(marked, e'\\x01\\x02', '') in spaced); letters text[]; place int; first int; size int;`,
  `piece text; number int; escaped text; fragment text := '';`,
  `begin`,
  `if marked is null or position(e'\\x01' in marked) = 0 then return null; end if;`,
  `if start = 0 then start := 1; original := translate(marked, e'\\x01\\x02\\x03', ''); folded := original; end if;`,
  `if length(original) <> length(folded) then`,
  `letters := array(select letter[1] from regexp_matches(original, '[^\\u0300-\\u036f][\\u0300-\\u036f]*', 'g') as letter);`,
  `if cardinality(letters) <> length(folded) then letters := null; original := folded; end if; end if;`,
  `first := length(replace(left(spaced, start - 1), e'\\x03', '')); place := first;`,
  `for piece, number in select * from regexp_split_to_table(marked, e'[\\x01\\x02]') with ordinality loop`,
  `size := length(replace(piece, e'\\x03', '')); place := place + size;`,
  `piece := case when letters is null then substr(original, place - size + 1, size) else array_to_string(letters[place - size + 1:place], '') end;`,
  `escaped := replace(replace(replace(replace(replace(piece, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');`,
  `fragment := fragment || case when number % 2 = 0 then '<mark>' || escaped || '</mark>' else escaped end;`,
  `end loop;`,
  `return case when first > 0 then '…' else '' end || regexp_replace(replace(fragment, '</mark><mark>', ''), '\\s+', ' ', 'g') || case when place < length(folded) then '…' else '' end;`,
  `end; $$`,
].join(' ');

const tagNames = (article: string) =>
  `(select coalesce(string_agg(name, ' ' order by position), '') from article_tags join tags on tags.id = tag_id where article_tags.article_id = ${article})`;

/** Weighted by where a word stands. The short texts are indexed literally too, for queries of nothing but frequent words. */
const VECTOR = [
  `setweight(to_tsvector(lang, title) || to_tsvector('simple', title), 'A')`,
  `setweight(to_tsvector(lang, description) || to_tsvector('simple', description), 'B')`,
  `setweight(to_tsvector(lang, tags) || to_tsvector('simple', tags), 'C')`,
  `setweight(to_tsvector(lang, body), 'D')`,
].join(' || ');

/**
 * Indexes an article anew. The lock comes first, and the text is read after it: of two transactions that change the same article,
 * the later one sees what both have written.
 */
const INDEX_ARTICLE = [
  `create or replace function index_article(int) returns void language plpgsql as $$`,
  `declare lang regconfig := ${LANGUAGE}; names text; title text; description text; tags text; body text; begin`,
  `perform from article_search where article_id = $1 for update;`,
  `select ${tagNames('$1')}, search_words(articles.title), search_words(articles.description), search_words(search_plain_text(articles.body, articles.body_html)) into names, title, description, body from articles where id = $1;`,
  `if not found then return; end if; tags := search_words(names);`,
  `insert into article_search as stored (article_id, language, tags, vector) values ($1, ${LANGUAGE}, names, ${VECTOR})`,
  `on conflict (article_id) do update set language = excluded.language, tags = excluded.tags, vector = excluded.vector; end; $$`,
].join(' ');

/**
 * A trigger that runs at the end of the transaction, once all that belongs to an article is written: one with three tags is
 * indexed once. PostgreSQL calls it a constraint trigger.
 */
const atTheEnd = (table: string, name: string, events: string, body: string, when = '') => ({
  name,
  timing: 'after' as const,
  events: ['insert' as const],
  expression: [
    `create or replace function ${table}_${name}_fn() returns trigger language plpgsql as $$ begin ${body} return null; end; $$`,
    `create constraint trigger ${name} after ${events} on ${table} deferrable initially deferred for each row ${when} execute function ${table}_${name}_fn()`,
  ].join(';\n'),
});

const afterFunctions = (trigger: ReturnType<typeof atTheEnd>) => ({
  ...trigger,
  expression: [FOLD, WORDS, PLAIN_TEXT, QUERY, FRAGMENT, INDEX_ARTICLE, trigger.expression].join(';\n'),
});

export const INDEX_NEW_TEXT = afterFunctions(
  atTheEnd('articles', 'index_new_text', 'insert', 'perform index_article(new.id);'),
);

/** Not called when a count changes, which is more frequent. */
export const INDEX_CHANGED_TEXT = atTheEnd(
  'articles',
  'index_changed_text',
  'update of title, description, body, body_html',
  'perform index_article(new.id);',
  'when ((old.title, old.description, old.body, old.body_html) is distinct from (new.title, new.description, new.body, new.body_html))',
);

/** The first tag that a transaction changes indexes all of them; for the others the names are up to date. */
export const INDEX_TAGS = atTheEnd(
  'article_tags',
  'index_tags',
  'insert or delete',
  `perform index_article(article_id) from article_search where article_id = coalesce(new.article_id, old.article_id) and tags <> ${tagNames('article_search.article_id')};`,
);
