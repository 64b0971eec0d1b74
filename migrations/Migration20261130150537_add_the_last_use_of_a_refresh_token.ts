import { Migration } from '@mikro-orm/migrations';

export class Migration20261130150537_add_the_last_use_of_a_refresh_token extends Migration {
  override name = 'Migration20261130150537_add_the_last_use_of_a_refresh_token';

  override up(): void | Promise<void> {
    this.addSql(`alter table "sessions" add column "previous_use_hash" text;`);
    this.addSql(`alter table "sessions" add column "refreshed_at" timestamptz(3);`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "sessions" drop column "refreshed_at";`);
    this.addSql(`alter table "sessions" drop column "previous_use_hash";`);
  }
}
