import { Migration } from '@mikro-orm/migrations';

export class Migration20261130181946_build_article_tags_by_tag_and_published_at extends Migration {
  override name = 'Migration20261130181946_build_article_tags_by_tag_and_published_at';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists article_tags_by_tag_and_published_at on article_tags using btree (tag_id, published_at, article_id);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "article_tags_by_tag_and_published_at";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
