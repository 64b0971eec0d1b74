import { Migration } from '@mikro-orm/migrations';

export class Migration20261130172245_build_articles_published_by_author_and_read_count extends Migration {
  override name = 'Migration20261130172245_build_articles_published_by_author_and_read_count';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists articles_published_by_author_and_read_count on articles using btree (author_id, read_count, id) where (status = 'PUBLISHED'::text);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "articles_published_by_author_and_read_count";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
