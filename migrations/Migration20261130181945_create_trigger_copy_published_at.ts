import { Migration } from '@mikro-orm/migrations';

export class Migration20261130181945_create_trigger_copy_published_at extends Migration {
  override name = 'Migration20261130181945_create_trigger_copy_published_at';

  override up(): void | Promise<void> {
    this.addSql(
      `create trigger copy_published_at after update on articles for each row when (((old.status <> new.status) or (old.published_at is distinct from new.published_at))) execute function articles_copy_published_at_fn();`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop trigger "copy_published_at" on "articles";`);
  }
}
