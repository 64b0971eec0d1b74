import { Migration } from '@mikro-orm/migrations';

export class Migration20261130134031_drop_indexes_of_all_articles_by_author_and_published_at extends Migration {
  override name = 'Migration20261130134031_drop_indexes_of_all_articles_by_author_and_published_at';

  override up(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "articles_by_published_at";`);
    this.addSql(`drop index concurrently if exists "articles_by_author";`);
    this.addSql(`drop index concurrently if exists "articles_by_author_and_updated_at";`);
    this.addSql(`drop index concurrently if exists "articles_by_author_and_favorites_count";`);
    this.addSql(`drop index concurrently if exists "articles_by_author_and_comments_count";`);
    this.addSql(`drop index concurrently if exists "articles_by_author_and_title";`);
  }

  override down(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists articles_by_author_and_title on articles using btree (author_id, title, id);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_by_author_and_comments_count on articles using btree (author_id, comments_count, id);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_by_author_and_favorites_count on articles using btree (author_id, favorites_count, id);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_by_author_and_updated_at on articles using btree (author_id, updated_at, id);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_by_author on articles using btree (author_id, published_at, id);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_by_published_at on articles using btree (published_at, id);`,
    );
  }

  override isTransactional(): boolean {
    return false;
  }
}
