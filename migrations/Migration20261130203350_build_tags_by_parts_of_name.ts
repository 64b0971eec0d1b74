import { Migration } from '@mikro-orm/migrations';

export class Migration20261130203350_build_tags_by_parts_of_name extends Migration {
  override name = 'Migration20261130203350_build_tags_by_parts_of_name';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists tags_by_parts_of_name on tags using gin (string_to_array(((((regexp_replace(substr((('  '::text || translate(regexp_replace(normalize(name_key, nfd), '[\\u0300-\\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text)) || ' '::text), 1), '(...)'::text, '\\1X'::text, 'g'::text) || 'X'::text) || regexp_replace(substr((('  '::text || translate(regexp_replace(normalize(name_key, nfd), '[\\u0300-\\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text)) || ' '::text), 2), '(...)'::text, '\\1X'::text, 'g'::text)) || 'X'::text) || regexp_replace(substr((('  '::text || translate(regexp_replace(normalize(name_key, nfd), '[\\u0300-\\u036f]'::text, ''::text, 'g'::text), 'øØłŁđĐħıŧ'::text, 'oOlLdDhit'::text)) || ' '::text), 3), '(...)'::text, '\\1X'::text, 'g'::text)), 'X'::text));`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "tags_by_parts_of_name";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
