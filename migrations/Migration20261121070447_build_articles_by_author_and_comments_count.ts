import { Migration } from '@mikro-orm/migrations';

export class Migration20261121070447_build_articles_by_author_and_comments_count extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override name = 'Migration20261121070447_build_articles_by_author_and_comments_count';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists "articles_by_author_and_comments_count" on "articles" ("author_id", "comments_count", "id");`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "articles_by_author_and_comments_count";`);
  }
}
