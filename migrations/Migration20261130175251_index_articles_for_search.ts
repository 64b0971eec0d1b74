import { Migration } from '@mikro-orm/migrations';

export class Migration20261130175251_index_articles_for_search extends Migration {
  override name = 'Migration20261130175251_index_articles_for_search';

  override up(): void | Promise<void> {
    this.addSql(`CREATE OR REPLACE FUNCTION articles_index_changed_text_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform index_article(new.id); return null; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION search_fold(text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
AS $function$ declare signs text := '!"#$%&''()*+,-./:;<=>?@[\\]^_\`{|}~'; begin if octet_length($1) = char_length($1) then return translate($1, signs, repeat(' ', 32)); end if; return translate(regexp_replace(normalize(regexp_replace(normalize($1, nfd), '[\\u0300-\\u036f]', '', 'g'), nfc), '[\\u0080-\\u00a9\\u00ab-\\u00b4\\u00b6-\\u00b9\\u00bb-\\u00bf\\u00d7\\u00f7\\u2000-\\u206f\\u20a0-\\u20cf\\u2100-\\u2bff\\u2e00-\\u2e7f\\u3000-\\u3004\\u3008-\\u3020\\u3030\\ufe00-\\ufe6f\\uff00-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65\\U0001f000-\\U0001faff]', ' ', 'g'), 'øØłŁđĐħıŧ' || signs, 'oOlLdDhit' || repeat(' ', 32)); end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION search_words(text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
AS $function$ declare folded text := search_fold($1); begin if octet_length(folded) = char_length(folded) or folded !~ '[\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff]' then return folded; end if; return (select string_agg(case when here ~ '[\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff]' then ' ' || here || case when next ~ '[\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff]' then next else '' end || ' ' else here end, '' order by place) from (select here, place, lead(here) over (order by place) as next from regexp_split_to_table(left(folded, 50000), '') with ordinality as letter (here, place)) as letters); end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION search_plain_text(body text, body_html text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
AS $function$ begin if $2 is null then return $1; end if; return replace(replace(replace(replace(replace(regexp_replace($2, '<[^>]*>', ' ', 'g'), '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&#39;', ''''), '&amp;', '&'); end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION search_query(text)
 RETURNS tsquery
 LANGUAGE plpgsql
 STABLE
AS $function$ declare query tsquery; begin query := websearch_to_tsquery(coalesce((select language from search_settings), 'english')::regconfig, $1); if numnode(query) = 0 then query := websearch_to_tsquery('simple', $1); end if; if querytree(query) in ('', 'T') then return ''; end if; return regexp_replace(query::text, '''([\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff])''', '''\\1'':*', 'g')::tsquery; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION search_fragment(text, tsquery, options text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$ declare original text := left(normalize($1, nfc), 20000); folded text := translate(search_fold(original), e'\\x01\\x02\\x03', '   '); spaced text := regexp_replace(folded, '([\\u3005-\\u3007\\u3041-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff])', e'\\x03\\\\1\\x03', 'g'); marked text := ts_headline(coalesce((select language from search_settings), 'english')::regconfig, spaced, $2, e'StartSel=\\x01, StopSel=\\x02, ' || $3); before text := left(spaced, position(translate(marked, e'\\x01\\x02', '') in spaced) - 1); place int := length(replace(before, e'\\x03', '')); first int := place; piece text; number int; escaped text; fragment text := ''; begin if marked is null or position(e'\\x01' in marked) = 0 then return null; end if; if length(original) <> length(folded) then original := folded; end if; for piece, number in select * from regexp_split_to_table(marked, e'[\\x01\\x02]') with ordinality loop piece := substr(original, place + 1, length(replace(piece, e'\\x03', ''))); place := place + length(piece); escaped := replace(replace(replace(replace(replace(piece, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'); fragment := fragment || case when number % 2 = 0 then '<mark>' || escaped || '</mark>' else escaped end; end loop; return case when first > 0 then '…' else '' end || regexp_replace(replace(fragment, '</mark><mark>', ''), '\\s+', ' ', 'g') || case when place < length(original) then '…' else '' end; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION index_article(integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$ declare lang regconfig := coalesce((select language from search_settings), 'english'); names text; title text; description text; tags text; body text; begin perform from article_search where article_id = $1 for update; select (select coalesce(string_agg(name, ' ' order by position), '') from article_tags join tags on tags.id = tag_id where article_tags.article_id = $1), search_words(articles.title), search_words(articles.description), search_words(search_plain_text(articles.body, articles.body_html)) into names, title, description, body from articles where id = $1; if not found then return; end if; tags := search_words(names); insert into article_search as stored (article_id, language, tags, vector) values ($1, coalesce((select language from search_settings), 'english'), names, setweight(to_tsvector(lang, title) || to_tsvector('simple', title), 'A') || setweight(to_tsvector(lang, description) || to_tsvector('simple', description), 'B') || setweight(to_tsvector(lang, tags) || to_tsvector('simple', tags), 'C') || setweight(to_tsvector(lang, body), 'D')) on conflict (article_id) do update set language = excluded.language, tags = excluded.tags, vector = excluded.vector; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION articles_index_new_text_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform index_article(new.id); return null; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION article_tags_index_tags_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform index_article(article_id) from article_search where article_id = coalesce(new.article_id, old.article_id) and tags <> (select coalesce(string_agg(name, ' ' order by position), '') from article_tags join tags on tags.id = tag_id where article_tags.article_id = article_search.article_id); return null; end; $function$;`);
    this.addSql(
      `create table "search_settings" ("id" int not null, "language" text not null, constraint "search_settings_pkey" primary key (id), constraint "search_settings_one_row" check ((id = 1)));`,
    );
    this.addSql(
      `create table "article_search" ("article_id" int not null, "language" text not null default '', "tags" text not null default '', "vector" tsvector not null default '', constraint "article_search_pkey" primary key (article_id));`,
    );
    this.addSql(`create index article_search_by_language on article_search using btree (language, article_id);`);
    this.addSql(`create index article_search_words on article_search using gin (vector);`);
    this.addSql(
      `create index article_search_title_words on article_search using gin (ts_filter(vector, '{a}'::"char"[]));`,
    );
    this.addSql(
      `alter table "article_search" add constraint "article_search_article_id_foreign" foreign key (article_id) references articles(id) on delete cascade;`,
    );
    this.addSql(
      `create constraint trigger index_changed_text after update of title, description, body, body_html on articles deferrable initially deferred for each row when (((((old.title is distinct from new.title) or (old.description is distinct from new.description)) or (old.body is distinct from new.body)) or (old.body_html is distinct from new.body_html))) execute function articles_index_changed_text_fn();`,
    );
    this.addSql(
      `create constraint trigger index_new_text after insert on articles deferrable initially deferred for each row execute function articles_index_new_text_fn();`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop trigger "index_new_text" on "articles";`);
    this.addSql(`drop trigger "index_changed_text" on "articles";`);
    this.addSql(`alter table "article_search" drop constraint "article_search_article_id_foreign";`);
    this.addSql(`drop table "article_search";`);
    this.addSql(`drop table "search_settings";`);
    this.addSql(`drop function "article_tags_index_tags_fn"();`);
    this.addSql(`drop function "articles_index_new_text_fn"();`);
    this.addSql(`drop function "index_article"(integer);`);
    this.addSql(`drop function "search_fragment"(text, tsquery, options text);`);
    this.addSql(`drop function "search_query"(text);`);
    this.addSql(`drop function "search_plain_text"(body text, body_html text);`);
    this.addSql(`drop function "search_words"(text);`);
    this.addSql(`drop function "search_fold"(text);`);
    this.addSql(`drop function "articles_index_changed_text_fn"();`);
  }
}
