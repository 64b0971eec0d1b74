import { Migration } from '@mikro-orm/migrations';

export class Migration20261130134030_build_indexes_of_published_articles_and_drafts extends Migration {
  override name = 'Migration20261130134030_build_indexes_of_published_articles_and_drafts';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists articles_published on articles using btree (published_at, id) where (status = 'PUBLISHED'::text);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_published_by_author on articles using btree (author_id, published_at, id) where (status = 'PUBLISHED'::text);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_published_by_author_and_updated_at on articles using btree (author_id, updated_at, id) where (status = 'PUBLISHED'::text);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_published_by_author_and_favorites_count on articles using btree (author_id, favorites_count, id) where (status = 'PUBLISHED'::text);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_published_by_author_and_comments_count on articles using btree (author_id, comments_count, id) where (status = 'PUBLISHED'::text);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_published_by_author_and_title on articles using btree (author_id, title, id) where (status = 'PUBLISHED'::text);`,
    );
    this.addSql(
      `create index concurrently if not exists articles_drafts on articles using btree (author_id, updated_at, id) where (status = 'DRAFT'::text);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "articles_drafts";`);
    this.addSql(`drop index concurrently if exists "articles_published_by_author_and_title";`);
    this.addSql(`drop index concurrently if exists "articles_published_by_author_and_comments_count";`);
    this.addSql(`drop index concurrently if exists "articles_published_by_author_and_favorites_count";`);
    this.addSql(`drop index concurrently if exists "articles_published_by_author_and_updated_at";`);
    this.addSql(`drop index concurrently if exists "articles_published_by_author";`);
    this.addSql(`drop index concurrently if exists "articles_published";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
