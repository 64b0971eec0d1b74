import { Migration } from '@mikro-orm/migrations';

export class Migration20261130150743_add_comments_body_html_renderer_version_and_rendered_at extends Migration {
  override name = 'Migration20261130150743_add_comments_body_html_renderer_version_and_rendered_at';

  override up(): void | Promise<void> {
    this.addSql(`alter table "comments" add column "body_html" text;`);
    this.addSql(`alter table "comments" add column "renderer_version" int not null default 0;`);
    this.addSql(`alter table "comments" add column "rendered_at" timestamptz(3);`);
    this.addSql(
      `create trigger clear_stale_rendering before update on comments for each row execute function comments_clear_stale_rendering_fn();`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop trigger "clear_stale_rendering" on "comments";`);
    this.addSql(`alter table "comments" drop column "rendered_at";`);
    this.addSql(`alter table "comments" drop column "renderer_version";`);
    this.addSql(`alter table "comments" drop column "body_html";`);
  }
}
