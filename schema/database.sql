-- The schema that the migrations make. Written by migration:create; to write it again: npm run migration repair.
-- Bodies of functions may name tables that come later.
set check_function_bodies = off;

CREATE OR REPLACE FUNCTION article_tags_copy_published_at_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin select case status when 'PUBLISHED' then published_at end into new.published_at from articles where id = new.article_id for share; return new; end; $function$;

CREATE OR REPLACE FUNCTION article_tags_count_down_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform from articles where id = old.article_id and status = 'PUBLISHED' for share; if found then update tags set articles_count = articles_count - 1 where id = old.tag_id; end if; return null; end; $function$;

CREATE OR REPLACE FUNCTION article_tags_count_up_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform from articles where id = new.article_id and status = 'PUBLISHED' for share; if found then update tags set articles_count = articles_count + 1 where id = new.tag_id; end if; return null; end; $function$;

CREATE OR REPLACE FUNCTION article_tags_index_tags_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform index_article(article_id) from article_search where article_id = coalesce(new.article_id, old.article_id) and tags <> (select coalesce(string_agg(name, ' ' order by position), '') from article_tags join tags on tags.id = tag_id where article_tags.article_id = article_search.article_id); return null; end; $function$;

CREATE OR REPLACE FUNCTION articles_clear_stale_rendering_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin if new.rendered_at is not distinct from old.rendered_at and new.body is distinct from old.body then new.body_html = null; new.opening_text = null; new.reading_time_minutes = null; new.renderer_version = 0; end if; return new; end; $function$;

CREATE OR REPLACE FUNCTION articles_copy_published_at_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin update article_tags set published_at = case new.status when 'PUBLISHED' then new.published_at end where article_id = new.id; return null; end; $function$;

CREATE OR REPLACE FUNCTION articles_count_down_in_tags_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform from tags where id in (select tag_id from article_tags where article_id = old.id) order by name for no key update; update tags set articles_count = articles_count - 1 where id in (select tag_id from article_tags where article_id = old.id); return old; end; $function$;

CREATE OR REPLACE FUNCTION articles_count_in_tags_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform from tags where id in (select tag_id from article_tags where article_id = new.id) order by name for no key update; update tags set articles_count = articles_count + case new.status when 'PUBLISHED' then 1 else -1 end where id in (select tag_id from article_tags where article_id = new.id); return new; end; $function$;

CREATE OR REPLACE FUNCTION articles_index_changed_text_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform index_article(new.id); return null; end; $function$;

CREATE OR REPLACE FUNCTION articles_index_new_text_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform index_article(new.id); return null; end; $function$;

CREATE OR REPLACE FUNCTION articles_keep_first_slug_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin insert into article_slugs (slug, article_id) values (new.slug, new.id) on conflict (slug) do update set slug = excluded.slug where article_slugs.article_id = excluded.article_id; if not found then raise unique_violation using constraint = 'articles_slug_unique', message = 'the slug belongs to another article'; end if; return null; end; $function$;

CREATE OR REPLACE FUNCTION articles_keep_slug_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin insert into article_slugs (slug, article_id) values (old.slug, old.id) on conflict (slug) do nothing; insert into article_slugs (slug, article_id) values (new.slug, new.id) on conflict (slug) do update set slug = excluded.slug where article_slugs.article_id = excluded.article_id; if not found then raise unique_violation using constraint = 'articles_slug_unique', message = 'the slug belongs to another article'; end if; return null; end; $function$;

CREATE OR REPLACE FUNCTION comments_clear_stale_rendering_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin if new.rendered_at is not distinct from old.rendered_at and new.body is distinct from old.body then new.body_html = null; new.renderer_version = 0; end if; return new; end; $function$;

CREATE OR REPLACE FUNCTION comments_count_down_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin update articles set comments_count = comments_count - 1 where id = old.article_id; return null; end; $function$;

CREATE OR REPLACE FUNCTION comments_count_up_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin update articles set comments_count = comments_count + 1 where id = new.article_id; return null; end; $function$;

CREATE OR REPLACE FUNCTION favorites_count_down_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin update articles set favorites_count = favorites_count - 1 where id = old.article_id; return null; end; $function$;

CREATE OR REPLACE FUNCTION favorites_count_up_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin update articles set favorites_count = favorites_count + 1 where id = new.article_id; return null; end; $function$;

CREATE OR REPLACE FUNCTION index_article(integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$ declare lang regconfig := coalesce((select language from search_settings where exists (select from pg_ts_config where cfgname = language)), 'english'); names text; title text; description text; tags text; body text; begin perform from article_search where article_id = $1 for update; select (select coalesce(string_agg(name, ' ' order by position), '') from article_tags join tags on tags.id = tag_id where article_tags.article_id = $1), search_words(articles.title), search_words(articles.description), search_words(search_plain_text(articles.body, articles.body_html)) into names, title, description, body from articles where id = $1; if not found then return; end if; tags := search_words(names); insert into article_search as stored (article_id, language, tags, vector) values ($1, coalesce((select language from search_settings where exists (select from pg_ts_config where cfgname = language)), 'english'), names, setweight(to_tsvector(lang, title) || to_tsvector('simple', title), 'A') || setweight(to_tsvector(lang, description) || to_tsvector('simple', description), 'B') || setweight(to_tsvector(lang, tags) || to_tsvector('simple', tags), 'C') || setweight(to_tsvector(lang, body), 'D')) on conflict (article_id) do update set language = excluded.language, tags = excluded.tags, vector = excluded.vector; end; $function$;

CREATE OR REPLACE FUNCTION search_fold(text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
AS $function$ declare signs text := '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~'; begin if octet_length($1) = char_length($1) then return translate($1, signs, repeat(' ', 32)); end if; return translate(regexp_replace(normalize(regexp_replace(normalize($1, nfd), '[\u0300-\u036f]', '', 'g'), nfc), '[\u0080-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u2000-\u206f\u20a0-\u20cf\u2100-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\ufe00-\ufe6f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\U0001f000-\U0001faff]', ' ', 'g'), 'øØłŁđĐħıŧ' || signs, 'oOlLdDhit' || repeat(' ', 32)); end; $function$;

CREATE OR REPLACE FUNCTION search_fragment(text, tsquery, options text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$ declare original text := left(normalize($1, nfc), 20000); folded text := translate(search_fold(original), e'\x01\x02\x03', '   '); spaced text := regexp_replace(folded, '([\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff])', e'\x03\\1\x03', 'g'); marked text := ts_headline(coalesce((select language from search_settings where exists (select from pg_ts_config where cfgname = language)), 'english')::regconfig, spaced, $2, e'StartSel=\x01, StopSel=\x02, ' || $3); start int := position(translate(marked, e'\x01\x02', '') in spaced); letters text[]; place int; first int; size int; piece text; number int; escaped text; fragment text := ''; begin if marked is null or position(e'\x01' in marked) = 0 then return null; end if; if start = 0 then start := 1; original := translate(marked, e'\x01\x02\x03', ''); folded := original; end if; if length(original) <> length(folded) then letters := array(select letter[1] from regexp_matches(original, '[^\u0300-\u036f][\u0300-\u036f]*', 'g') as letter); if cardinality(letters) <> length(folded) then letters := null; original := folded; end if; end if; first := length(replace(left(spaced, start - 1), e'\x03', '')); place := first; for piece, number in select * from regexp_split_to_table(marked, e'[\x01\x02]') with ordinality loop size := length(replace(piece, e'\x03', '')); place := place + size; piece := case when letters is null then substr(original, place - size + 1, size) else array_to_string(letters[place - size + 1:place], '') end; escaped := replace(replace(replace(replace(replace(piece, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'); fragment := fragment || case when number % 2 = 0 then '<mark>' || escaped || '</mark>' else escaped end; end loop; return case when first > 0 then '…' else '' end || regexp_replace(replace(fragment, '</mark><mark>', ''), '\s+', ' ', 'g') || case when place < length(folded) then '…' else '' end; end; $function$;

CREATE OR REPLACE FUNCTION search_plain_text(body text, body_html text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
AS $function$ begin if $2 is null then return $1; end if; return replace(replace(replace(replace(replace(regexp_replace($2, '<[^>]*>', ' ', 'g'), '&lt;', '<'), '&gt;', '>'), '&quot;', '"'), '&#39;', ''''), '&amp;', '&'); end; $function$;

CREATE OR REPLACE FUNCTION search_query(text)
 RETURNS tsquery
 LANGUAGE plpgsql
 STABLE
AS $function$ declare query tsquery; begin query := websearch_to_tsquery(coalesce((select language from search_settings where exists (select from pg_ts_config where cfgname = language)), 'english')::regconfig, $1); if numnode(query) = 0 then query := websearch_to_tsquery('simple', $1); end if; if querytree(query) in ('', 'T') then return ''; end if; return regexp_replace(query::text, '''([\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff])''', '''\1'':*', 'g')::tsquery; end; $function$;

CREATE OR REPLACE FUNCTION search_words(text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
AS $function$ declare folded text := search_fold($1); begin if octet_length(folded) = char_length(folded) or folded !~ '[\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]' then return folded; end if; return (select string_agg(case when here ~ '[\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]' then ' ' || here || case when next ~ '[\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]' then next else '' end || ' ' else here end, '' order by place) from (select here, place, lead(here) over (order by place) as next from regexp_split_to_table(left(folded, 50000), '') with ordinality as letter (here, place)) as letters); end; $function$;

create table "article_reads" (
  "article_id" int not null,
  "reader" text not null,
  "counted_at" timestamptz(3) not null,
  constraint "article_reads_pkey" primary key (article_id, reader)
);
create index article_reads_by_counted_at on article_reads using btree (counted_at);

create table "article_search" (
  "article_id" int not null,
  "language" text not null default '',
  "tags" text not null default '',
  "vector" tsvector not null default '',
  constraint "article_search_pkey" primary key (article_id)
);
create index article_search_by_language on article_search using btree (language, article_id);
create index article_search_title_words on article_search using gin (ts_filter(vector, '{a}'::"char"[]));
create index article_search_words on article_search using gin (vector);

create table "article_slugs" (
  "slug" text not null,
  "article_id" int not null,
  constraint "article_slugs_pkey" primary key (slug)
);
create index article_slugs_by_article on article_slugs using btree (article_id);

create table "article_tags" (
  "position" int generated by default as identity,
  "article_id" int not null,
  "tag_id" int not null,
  "published_at" timestamptz(3),
  constraint "article_tags_pkey" primary key ("position"),
  constraint "article_tags_unique" unique (article_id, tag_id)
);
create index article_tags_by_tag_and_published_at on article_tags using btree (tag_id, published_at, article_id);

create table "articles" (
  "id" int generated by default as identity,
  "slug" text not null,
  "title" text not null,
  "description" text not null,
  "body" text not null,
  "author_id" int not null,
  "created_at" timestamptz(3) not null default now(),
  "updated_at" timestamptz(3) not null default now(),
  "published_at" timestamptz(3) default now(),
  "favorites_count" int not null default 0,
  "comments_count" int not null default 0,
  "status" text not null default 'PUBLISHED',
  "version" int not null default 1,
  "cover_image" text,
  "body_html" text,
  "opening_text" text,
  "reading_time_minutes" int,
  "renderer_version" int not null default 0,
  "rendered_at" timestamptz(3),
  "read_count" int not null default 0,
  constraint "articles_body_length" check (((char_length(body) >= 1) and (char_length(body) <= 100000))),
  constraint "articles_cover_image_length" check (((char_length(cover_image) >= 1) and (char_length(cover_image) <= 2048))),
  constraint "articles_description_length" check (((char_length(description) >= 1) and (char_length(description) <= 500))),
  constraint "articles_pkey" primary key (id),
  constraint "articles_published_at" check (((status = 'DRAFT'::text) or (published_at is not null))),
  constraint "articles_slug_length" check (((char_length(slug) >= 1) and (char_length(slug) <= 100))),
  constraint "articles_slug_unique" unique (slug),
  constraint "articles_status_check" check ((status = any (array['DRAFT'::text, 'PUBLISHED'::text]))),
  constraint "articles_title_length" check (((char_length(title) >= 1) and (char_length(title) <= 200)))
);
create index articles_by_comments_count on articles using btree (comments_count, id);
create index articles_by_favorites_count on articles using btree (favorites_count, id);
create index articles_by_read_count on articles using btree (read_count, id);
create index articles_by_renderer_version on articles using btree (renderer_version, id);
create index articles_by_title on articles using btree (title collate "und-x-icu", id);
create index articles_by_updated_at on articles using btree (updated_at, id);
create index articles_drafts on articles using btree (author_id, updated_at, id) where (status = 'DRAFT'::text);
create index articles_published on articles using btree (published_at, id) where (status = 'PUBLISHED'::text);
create index articles_published_by_author on articles using btree (author_id, published_at, id) where (status = 'PUBLISHED'::text);
create index articles_published_by_author_and_comments_count on articles using btree (author_id, comments_count, id) where (status = 'PUBLISHED'::text);
create index articles_published_by_author_and_favorites_count on articles using btree (author_id, favorites_count, id) where (status = 'PUBLISHED'::text);
create index articles_published_by_author_and_read_count on articles using btree (author_id, read_count, id) where (status = 'PUBLISHED'::text);
create index articles_published_by_author_and_title on articles using btree (author_id, title collate "und-x-icu", id) where (status = 'PUBLISHED'::text);
create index articles_published_by_author_and_updated_at on articles using btree (author_id, updated_at, id) where (status = 'PUBLISHED'::text);

create table "comments" (
  "id" int generated by default as identity,
  "body" text not null,
  "article_id" int not null,
  "author_id" int,
  "created_at" timestamptz(3) not null default now(),
  "updated_at" timestamptz(3) not null default now(),
  "body_html" text,
  "renderer_version" int not null default 0,
  "rendered_at" timestamptz(3),
  constraint "comments_body_length" check (((char_length(body) >= 1) and (char_length(body) <= 10000))),
  constraint "comments_pkey" primary key (id)
);
create index comments_by_article on comments using btree (article_id, created_at, id);
create index comments_by_author on comments using btree (author_id);
create index comments_by_renderer_version on comments using btree (renderer_version, id);

create table "favorites" (
  "user_id" int not null,
  "article_id" int not null,
  "created_at" timestamptz(3) not null default now(),
  constraint "favorites_pkey" primary key (user_id, article_id)
);
create index favorites_by_article on favorites using btree (article_id);
create index favorites_by_user on favorites using btree (user_id, created_at, article_id);

create table "follows" (
  "follower_id" int not null,
  "followed_id" int not null,
  "created_at" timestamptz(3) not null default now(),
  constraint "follows_not_oneself" check ((follower_id <> followed_id)),
  constraint "follows_pkey" primary key (follower_id, followed_id)
);
create index follows_by_followed on follows using btree (followed_id, created_at, follower_id);
create index follows_by_follower on follows using btree (follower_id, created_at, followed_id);

create table "idempotency_keys" (
  "user_id" int not null,
  "key" text not null,
  "request" text not null,
  "created_id" int,
  "created_at" timestamptz(3) not null default now(),
  constraint "idempotency_keys_key_length" check (((char_length(key) >= 1) and (char_length(key) <= 200))),
  constraint "idempotency_keys_pkey" primary key (user_id, key)
);

create table "rate_limits" (
  "key" text not null,
  "points" int not null default 0,
  "expire" bigint not null,
  constraint "rate_limits_pkey" primary key (key)
);
create index rate_limits_by_expire on rate_limits using btree (expire);

create table "search_settings" (
  "id" int not null,
  "language" text not null,
  constraint "search_settings_one_row" check ((id = 1)),
  constraint "search_settings_pkey" primary key (id)
);

create table "sessions" (
  "id" uuid not null default gen_random_uuid(),
  "user_id" int not null,
  "refresh_token_hash" text not null,
  "generation" int not null default 1,
  "opened_at" timestamptz(3) not null default now(),
  "expires_at" timestamptz(3) not null,
  "previous_use_hash" text,
  "refreshed_at" timestamptz(3),
  constraint "sessions_pkey" primary key (id)
);
create index sessions_by_user on sessions using btree (user_id);

create table "tags" (
  "id" int generated by default as identity,
  "name" text not null,
  "articles_count" int not null default 0,
  "name_key" text not null default '',
  constraint "tags_name_length" check (((char_length(name) >= 1) and (char_length(name) <= 50))),
  constraint "tags_name_unique" unique (name),
  constraint "tags_pkey" primary key (id)
);
create index tags_by_articles_count on tags using btree (articles_count, id);
create index tags_by_name on tags using btree (name collate "und-x-icu", id);
create index tags_by_parts_of_name on tags using gin (string_to_array(((((regexp_replace(substr((('  '::text || translate(regexp_replace(normalize(name_key, nfd), '[\u0300-\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text)) || ' '::text), 1), '(...)'::text, '\1X'::text, 'g'::text) || 'X'::text) || regexp_replace(substr((('  '::text || translate(regexp_replace(normalize(name_key, nfd), '[\u0300-\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text)) || ' '::text), 2), '(...)'::text, '\1X'::text, 'g'::text)) || 'X'::text) || regexp_replace(substr((('  '::text || translate(regexp_replace(normalize(name_key, nfd), '[\u0300-\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text)) || ' '::text), 3), '(...)'::text, '\1X'::text, 'g'::text)), 'X'::text));
create index tags_by_start_of_name on tags using btree (translate(regexp_replace(normalize(name_key, nfd), '[\u0300-\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text) collate "C");

create table "users" (
  "id" int generated by default as identity,
  "username" text not null,
  "username_key" text not null,
  "email" text not null,
  "email_key" text not null,
  "password_hash" text not null,
  "bio" text,
  "image" text,
  "created_at" timestamptz(3) not null default now(),
  constraint "users_bio_length" check (((char_length(bio) >= 1) and (char_length(bio) <= 1000))),
  constraint "users_email_length" check (((char_length(email) >= 3) and (char_length(email) <= 254))),
  constraint "users_email_unique" unique (email_key),
  constraint "users_image_length" check (((char_length(image) >= 1) and (char_length(image) <= 2048))),
  constraint "users_pkey" primary key (id),
  constraint "users_username_length" check (((char_length(username) >= 1) and (char_length(username) <= 50))),
  constraint "users_username_unique" unique (username_key)
);
create index users_by_parts_of_name on users using gin (string_to_array(((((regexp_replace(substr((('  '::text || translate(regexp_replace(normalize(username_key, nfd), '[\u0300-\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text)) || ' '::text), 1), '(...)'::text, '\1X'::text, 'g'::text) || 'X'::text) || regexp_replace(substr((('  '::text || translate(regexp_replace(normalize(username_key, nfd), '[\u0300-\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text)) || ' '::text), 2), '(...)'::text, '\1X'::text, 'g'::text)) || 'X'::text) || regexp_replace(substr((('  '::text || translate(regexp_replace(normalize(username_key, nfd), '[\u0300-\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text)) || ' '::text), 3), '(...)'::text, '\1X'::text, 'g'::text)), 'X'::text));
create index users_by_start_of_name on users using btree (translate(regexp_replace(normalize(username_key, nfd), '[\u0300-\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text) collate "C");
alter table "article_search" add constraint "article_search_article_id_foreign" foreign key (article_id) references articles(id) on delete cascade;
alter table "article_slugs" add constraint "article_slugs_article_id_foreign" foreign key (article_id) references articles(id) on delete cascade;
alter table "article_tags" add constraint "article_tags_article_id_foreign" foreign key (article_id) references articles(id) on delete cascade;
alter table "article_tags" add constraint "article_tags_tag_id_foreign" foreign key (tag_id) references tags(id) on delete cascade;
alter table "articles" add constraint "articles_author_id_foreign" foreign key (author_id) references users(id) on delete cascade;
alter table "comments" add constraint "comments_article_id_foreign" foreign key (article_id) references articles(id) on delete cascade;
alter table "comments" add constraint "comments_author_id_foreign" foreign key (author_id) references users(id) on delete set null;
alter table "favorites" add constraint "favorites_article_id_foreign" foreign key (article_id) references articles(id) on update cascade on delete cascade;
alter table "favorites" add constraint "favorites_user_id_foreign" foreign key (user_id) references users(id) on update cascade on delete cascade;
alter table "follows" add constraint "follows_followed_id_foreign" foreign key (followed_id) references users(id) on update cascade on delete cascade;
alter table "follows" add constraint "follows_follower_id_foreign" foreign key (follower_id) references users(id) on update cascade on delete cascade;
alter table "idempotency_keys" add constraint "idempotency_keys_user_id_foreign" foreign key (user_id) references users(id) on delete cascade;
alter table "sessions" add constraint "sessions_user_id_foreign" foreign key (user_id) references users(id) on delete cascade;
create trigger copy_published_at before insert on article_tags for each row execute function article_tags_copy_published_at_fn();
create trigger count_down after delete on article_tags for each row execute function article_tags_count_down_fn();
create trigger count_up after insert on article_tags for each row execute function article_tags_count_up_fn();

create constraint trigger index_tags after insert or delete on article_tags deferrable initially deferred for each row execute function article_tags_index_tags_fn();
create trigger clear_stale_rendering before update on articles for each row execute function articles_clear_stale_rendering_fn();
create trigger copy_published_at after update on articles for each row when (((old.status <> new.status) or (old.published_at is distinct from new.published_at))) execute function articles_copy_published_at_fn();
create trigger count_down_in_tags before delete on articles for each row when ((old.status = 'PUBLISHED'::text)) execute function articles_count_down_in_tags_fn();
create trigger count_in_tags after update on articles for each row when ((old.status <> new.status)) execute function articles_count_in_tags_fn();

create constraint trigger index_changed_text after update of title, description, body, body_html on articles deferrable initially deferred for each row when (((old.title is distinct from new.title) or (old.description is distinct from new.description) or (old.body is distinct from new.body) or (old.body_html is distinct from new.body_html))) execute function articles_index_changed_text_fn();

create constraint trigger index_new_text after insert on articles deferrable initially deferred for each row execute function articles_index_new_text_fn();
create trigger keep_first_slug after insert on articles for each row execute function articles_keep_first_slug_fn();
create trigger keep_slug after update on articles for each row when ((old.slug <> new.slug)) execute function articles_keep_slug_fn();
create trigger clear_stale_rendering before update on comments for each row execute function comments_clear_stale_rendering_fn();
create trigger count_down after delete on comments for each row execute function comments_count_down_fn();
create trigger count_up after insert on comments for each row execute function comments_count_up_fn();
create trigger count_down after delete on favorites for each row execute function favorites_count_down_fn();
create trigger count_up after insert on favorites for each row execute function favorites_count_up_fn();
