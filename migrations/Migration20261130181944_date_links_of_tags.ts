import { Migration } from '@mikro-orm/migrations';

export class Migration20261130181944_date_links_of_tags extends Migration {
  override name = 'Migration20261130181944_date_links_of_tags';

  override up(): void | Promise<void> {
    this.addSql(`CREATE OR REPLACE FUNCTION articles_copy_published_at_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin update article_tags set published_at = case new.status when 'PUBLISHED' then new.published_at end where article_id = new.id; return null; end; $function$;`);
    this.addSql(`CREATE OR REPLACE FUNCTION article_tags_copy_published_at_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin select case status when 'PUBLISHED' then published_at end into new.published_at from articles where id = new.article_id for share; return new; end; $function$;`);
    this.addSql(`alter table "article_tags" add column "published_at" timestamptz(3);`);
    this.addSql(
      `create trigger copy_published_at before insert on article_tags for each row execute function article_tags_copy_published_at_fn();`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop trigger "copy_published_at" on "article_tags";`);
    this.addSql(`alter table "article_tags" drop column "published_at";`);
    this.addSql(`drop function "article_tags_copy_published_at_fn"();`);
    this.addSql(`drop function "articles_copy_published_at_fn"();`);
  }
}
