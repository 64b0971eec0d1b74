import { Migration } from '@mikro-orm/migrations';

export class Migration20261130172244_build_articles_by_read_count extends Migration {
  override name = 'Migration20261130172244_build_articles_by_read_count';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists articles_by_read_count on articles using btree (read_count, id);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "articles_by_read_count";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
