import { Migration } from '@mikro-orm/migrations';

export class Migration20261121070446_add_orders_of_an_authors_articles extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override name = 'Migration20261121070446_add_orders_of_an_authors_articles';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists "articles_by_author_and_title" on "articles" ("author_id", "title", "id");`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "articles_by_author_and_title";`);
  }
}
