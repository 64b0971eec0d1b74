import { Migration } from '@mikro-orm/migrations';

export class Migration20261121070622_create_rate_limits extends Migration {
  override name = 'Migration20261121070622_create_rate_limits';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "rate_limits" ("key" text not null, "points" int not null default 0, "expire" bigint not null, primary key ("key"));`,
    );
    this.addSql(`create index "rate_limits_by_expire" on "rate_limits" ("expire");`);
  }

  override down(): void | Promise<void> {
    this.addSql(`drop table if exists "rate_limits" cascade;`);
  }
}
