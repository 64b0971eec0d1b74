import { Migration } from '@mikro-orm/migrations';

export class Migration20261130203349_index_names_for_search extends Migration {
  override name = 'Migration20261130203349_index_names_for_search';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists users_by_start_of_name on users using btree (translate(regexp_replace(normalize(username_key, nfd), '[\\u0300-\\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text) collate "C");`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "users_by_start_of_name";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
