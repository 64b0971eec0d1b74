import { Migration } from '@mikro-orm/migrations';

export class Migration20261130181947_build_tags_by_name extends Migration {
  override name = 'Migration20261130181947_build_tags_by_name';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists tags_by_name on tags using btree (name collate "und-x-icu", id);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "tags_by_name";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
