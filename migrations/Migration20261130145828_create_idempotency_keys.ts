import { Migration } from '@mikro-orm/migrations';

export class Migration20261130145828_create_idempotency_keys extends Migration {
  override name = 'Migration20261130145828_create_idempotency_keys';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "idempotency_keys" ("user_id" int not null, "key" text not null, "request" text not null, "created_id" int, "created_at" timestamptz(3) not null default now(), constraint "idempotency_keys_pkey" primary key (user_id, key), constraint "idempotency_keys_key_length" check (((char_length(key) >= 1) and (char_length(key) <= 200))));`,
    );
    this.addSql(
      `alter table "idempotency_keys" add constraint "idempotency_keys_user_id_foreign" foreign key (user_id) references users(id) on delete cascade;`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "idempotency_keys" drop constraint "idempotency_keys_user_id_foreign";`);
    this.addSql(`drop table "idempotency_keys";`);
  }
}
