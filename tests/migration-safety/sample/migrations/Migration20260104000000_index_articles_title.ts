import { Migration } from '@mikro-orm/migrations';

export class Migration20260104000000_index_articles_title extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`create index concurrently "articles_title_index" on "articles" ("title");`);
  }

  override down(): void {
    this.addSql(`drop index concurrently "articles_title_index";`);
  }
}
