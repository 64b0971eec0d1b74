import { Migration } from '@mikro-orm/migrations';

export class Migration20261130181948_replace_articles_published_by_author_and_title extends Migration {
  override name = 'Migration20261130181948_replace_articles_published_by_author_and_title';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists "articles_published_by_author_and_title_new" on articles using btree (author_id, title collate "und-x-icu", id) where (status = 'PUBLISHED'::text);`,
    );
    this.addSql(`drop index concurrently if exists "articles_published_by_author_and_title";`);
    this.addSql(
      `alter index "public"."articles_published_by_author_and_title_new" rename to "articles_published_by_author_and_title";`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists "articles_published_by_author_and_title_new" on articles using btree (author_id, title, id) where (status = 'PUBLISHED'::text);`,
    );
    this.addSql(`drop index concurrently if exists "articles_published_by_author_and_title";`);
    this.addSql(
      `alter index "public"."articles_published_by_author_and_title_new" rename to "articles_published_by_author_and_title";`,
    );
  }

  override isTransactional(): boolean {
    return false;
  }
}
