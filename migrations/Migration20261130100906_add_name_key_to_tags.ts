import { Migration } from '@mikro-orm/migrations';

export class Migration20261130100906_add_name_key_to_tags extends Migration {
  override name = 'Migration20261130100906_add_name_key_to_tags';

  override up(): void | Promise<void> {
    this.addSql(`alter table "tags" add column "name_key" text not null default '';`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "tags" drop column "name_key";`);
  }
}
