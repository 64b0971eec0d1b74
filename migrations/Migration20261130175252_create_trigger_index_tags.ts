import { Migration } from '@mikro-orm/migrations';

export class Migration20261130175252_create_trigger_index_tags extends Migration {
  override name = 'Migration20261130175252_create_trigger_index_tags';

  override up(): void | Promise<void> {
    this.addSql(
      `create constraint trigger index_tags after insert or delete on article_tags deferrable initially deferred for each row execute function article_tags_index_tags_fn();`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop trigger "index_tags" on "article_tags";`);
  }
}
