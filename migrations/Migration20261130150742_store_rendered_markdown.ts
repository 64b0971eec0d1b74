import { Migration } from '@mikro-orm/migrations';

export class Migration20261130150742_store_rendered_markdown extends Migration {
  override name = 'Migration20261130150742_store_rendered_markdown';

  override up(): void | Promise<void> {
    this.addSql(`CREATE OR REPLACE FUNCTION articles_clear_stale_rendering_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin if new.rendered_at is not distinct from old.rendered_at and new.body is distinct from old.body then new.body_html = null; new.opening_text = null; new.reading_time_minutes = null; new.renderer_version = 0; end if; return new; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION comments_clear_stale_rendering_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin if new.rendered_at is not distinct from old.rendered_at and new.body is distinct from old.body then new.body_html = null; new.renderer_version = 0; end if; return new; end; $function$;`);
    this.addSql(`alter table "articles" add column "body_html" text;`);
    this.addSql(`alter table "articles" add column "opening_text" text;`);
    this.addSql(`alter table "articles" add column "reading_time_minutes" int;`);
    this.addSql(`alter table "articles" add column "renderer_version" int not null default 0;`);
    this.addSql(`alter table "articles" add column "rendered_at" timestamptz(3);`);
    this.addSql(
      `create trigger clear_stale_rendering before update on articles for each row execute function articles_clear_stale_rendering_fn();`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop trigger "clear_stale_rendering" on "articles";`);
    this.addSql(`alter table "articles" drop column "rendered_at";`);
    this.addSql(`alter table "articles" drop column "renderer_version";`);
    this.addSql(`alter table "articles" drop column "reading_time_minutes";`);
    this.addSql(`alter table "articles" drop column "opening_text";`);
    this.addSql(`alter table "articles" drop column "body_html";`);
    this.addSql(`drop function "comments_clear_stale_rendering_fn"();`);
    this.addSql(`drop function "articles_clear_stale_rendering_fn"();`);
  }
}
