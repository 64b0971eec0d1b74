import { Migration } from '@mikro-orm/migrations';

export class Migration20261130134027_add_drafts_versions_and_slug_history extends Migration {
  override name = 'Migration20261130134027_add_drafts_versions_and_slug_history';

  override up(): void | Promise<void> {
    this.addSql(`CREATE OR REPLACE FUNCTION article_tags_count_down_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform from articles where id = old.article_id and status = 'PUBLISHED' for share; if found then update tags set articles_count = articles_count - 1 where id = old.tag_id; end if; return null; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION article_tags_count_up_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform from articles where id = new.article_id and status = 'PUBLISHED' for share; if found then update tags set articles_count = articles_count + 1 where id = new.tag_id; end if; return null; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION articles_count_down_in_tags_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform from tags where id in (select tag_id from article_tags where article_id = old.id) order by name for no key update; update tags set articles_count = articles_count - 1 where id in (select tag_id from article_tags where article_id = old.id); return old; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION articles_count_in_tags_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin perform from tags where id in (select tag_id from article_tags where article_id = new.id) order by name for no key update; update tags set articles_count = articles_count + case new.status when 'PUBLISHED' then 1 else -1 end where id in (select tag_id from article_tags where article_id = new.id); return new; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION articles_keep_slug_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin insert into article_slugs (slug, article_id) values (old.slug, old.id) on conflict (slug) do nothing; insert into article_slugs (slug, article_id) values (new.slug, new.id) on conflict (slug) do update set slug = excluded.slug where article_slugs.article_id = excluded.article_id; if not found then raise unique_violation using constraint = 'articles_slug_unique', message = 'the slug belongs to another article'; end if; return null; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION articles_keep_first_slug_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin insert into article_slugs (slug, article_id) values (new.slug, new.id) on conflict (slug) do update set slug = excluded.slug where article_slugs.article_id = excluded.article_id; if not found then raise unique_violation using constraint = 'articles_slug_unique', message = 'the slug belongs to another article'; end if; return null; end; $function$;`);
    this.addSql(
      `create table "article_slugs" ("slug" text not null, "article_id" int not null, constraint "article_slugs_pkey" primary key (slug));`,
    );
    this.addSql(`create index article_slugs_by_article on article_slugs using btree (article_id);`);
    this.addSql(`alter table "articles" add column "status" text not null default 'PUBLISHED';`);
    this.addSql(`alter table "articles" add column "version" int not null default 1;`);
    this.addSql(`alter table "articles" add column "cover_image" text;`);
    this.addSql(
      `alter table "articles" add constraint "articles_cover_image_length" check (((char_length(cover_image) >= 1) and (char_length(cover_image) <= 2048))) not valid;`,
    );
    this.addSql(
      `alter table "articles" add constraint "articles_status_check" check ((status = any (array['DRAFT'::text, 'PUBLISHED'::text]))) not valid;`,
    );
    this.addSql(`alter table "articles" alter column "published_at" drop not null;`);
    this.addSql(
      `alter table "articles" add constraint "articles_published_at" check (((status = 'DRAFT'::text) or (published_at is not null))) not valid;`,
    );
    this.addSql(
      `alter table "article_slugs" add constraint "article_slugs_article_id_foreign" foreign key (article_id) references articles(id) on delete cascade;`,
    );
    this.addSql(
      `create trigger count_down_in_tags before delete on articles for each row when ((old.status = 'PUBLISHED'::text)) execute function articles_count_down_in_tags_fn();`,
    );
    this.addSql(
      `create trigger count_in_tags after update on articles for each row when ((old.status <> new.status)) execute function articles_count_in_tags_fn();`,
    );
    this.addSql(
      `create trigger keep_slug after update on articles for each row when ((old.slug <> new.slug)) execute function articles_keep_slug_fn();`,
    );
    this.addSql(
      `create trigger keep_first_slug after insert on articles for each row execute function articles_keep_first_slug_fn();`,
    );
  }

  override down(): void | Promise<void> {
    // The older release has no drafts: it would show them to everyone.
    this.addSql(`delete from "articles" where "status" = 'DRAFT';`);
    this.addSql(`drop trigger "keep_first_slug" on "articles";`);
    this.addSql(`drop trigger "keep_slug" on "articles";`);
    this.addSql(`drop trigger "count_in_tags" on "articles";`);
    this.addSql(`drop trigger "count_down_in_tags" on "articles";`);
    this.addSql(`alter table "article_slugs" drop constraint "article_slugs_article_id_foreign";`);
    this.addSql(`alter table "articles" drop constraint "articles_published_at";`);
    this.addSql(`alter table "articles" alter column "published_at" set not null;`);
    this.addSql(`alter table "articles" drop constraint "articles_status_check";`);
    this.addSql(`alter table "articles" drop constraint "articles_cover_image_length";`);
    this.addSql(`alter table "articles" drop column "cover_image";`);
    this.addSql(`alter table "articles" drop column "version";`);
    this.addSql(`alter table "articles" drop column "status";`);
    this.addSql(`drop table "article_slugs";`);
    this.addSql(`drop function "articles_keep_first_slug_fn"();`);
    this.addSql(`drop function "articles_keep_slug_fn"();`);
    this.addSql(`drop function "articles_count_in_tags_fn"();`);
    this.addSql(`drop function "articles_count_down_in_tags_fn"();`);
    this.addSql(`CREATE OR REPLACE FUNCTION article_tags_count_up_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin update tags set articles_count = articles_count + 1 where id = new.tag_id; return null; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION article_tags_count_down_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin update tags set articles_count = articles_count - 1 where id = old.tag_id; return null; end; $function$;`);
  }
}
