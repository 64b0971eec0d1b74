import { Migration } from '@mikro-orm/migrations';

export class Migration20261130203352_build_tags_by_start_of_name extends Migration {
  override name = 'Migration20261130203352_build_tags_by_start_of_name';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists tags_by_start_of_name on tags using btree (translate(regexp_replace(normalize(name_key, nfd), '[\\u0300-\\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text) collate "C");`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "tags_by_start_of_name";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
