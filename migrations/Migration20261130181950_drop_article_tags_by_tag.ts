import { Migration } from '@mikro-orm/migrations';

export class Migration20261130181950_drop_article_tags_by_tag extends Migration {
  override name = 'Migration20261130181950_drop_article_tags_by_tag';

  override up(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "article_tags_by_tag";`);
  }

  override down(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists article_tags_by_tag on article_tags using btree (tag_id, article_id);`,
    );
  }

  override isTransactional(): boolean {
    return false;
  }
}
