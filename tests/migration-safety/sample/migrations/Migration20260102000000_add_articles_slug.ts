import { Migration } from '@mikro-orm/migrations';

export class Migration20260102000000_add_articles_slug extends Migration {
  override up(): void {
    this.addSql(`alter table "articles" add column "slug" varchar(255) null;`);
  }

  override down(): void {
    this.addSql(`alter table "articles" drop column "slug";`);
  }
}
