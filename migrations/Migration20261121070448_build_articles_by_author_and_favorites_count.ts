import { Migration } from '@mikro-orm/migrations';

export class Migration20261121070448_build_articles_by_author_and_favorites_count extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override name = 'Migration20261121070448_build_articles_by_author_and_favorites_count';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists "articles_by_author_and_favorites_count" on "articles" ("author_id", "favorites_count", "id");`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "articles_by_author_and_favorites_count";`);
  }
}
