import { Migration } from '@mikro-orm/migrations';

export class Migration20261130181949_replace_articles_by_title extends Migration {
  override name = 'Migration20261130181949_replace_articles_by_title';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists "articles_by_title_new" on articles using btree (title collate "und-x-icu", id);`,
    );
    this.addSql(`drop index concurrently if exists "articles_by_title";`);
    this.addSql(`alter index "public"."articles_by_title_new" rename to "articles_by_title";`);
  }

  override down(): void | Promise<void> {
    this.addSql(`create index concurrently if not exists "articles_by_title_new" on articles using btree (title, id);`);
    this.addSql(`drop index concurrently if exists "articles_by_title";`);
    this.addSql(`alter index "public"."articles_by_title_new" rename to "articles_by_title";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
