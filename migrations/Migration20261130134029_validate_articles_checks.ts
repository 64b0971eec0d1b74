import { Migration } from '@mikro-orm/migrations';

export class Migration20261130134029_validate_articles_checks extends Migration {
  override name = 'Migration20261130134029_validate_articles_checks';

  override up(): void | Promise<void> {
    this.addSql(`alter table "articles" validate constraint "articles_cover_image_length";`);
    this.addSql(`alter table "articles" validate constraint "articles_status_check";`);
    this.addSql(`alter table "articles" validate constraint "articles_published_at";`);
  }

  override down(): void {
    // Nothing to undo: the rows stay as they are, and so does the schema.
  }
}
