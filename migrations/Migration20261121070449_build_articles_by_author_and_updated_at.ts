import { Migration } from '@mikro-orm/migrations';

export class Migration20261121070449_build_articles_by_author_and_updated_at extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override name = 'Migration20261121070449_build_articles_by_author_and_updated_at';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists "articles_by_author_and_updated_at" on "articles" ("author_id", "updated_at", "id");`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "articles_by_author_and_updated_at";`);
  }
}
