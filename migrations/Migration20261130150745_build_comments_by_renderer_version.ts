import { Migration } from '@mikro-orm/migrations';

export class Migration20261130150745_build_comments_by_renderer_version extends Migration {
  override name = 'Migration20261130150745_build_comments_by_renderer_version';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists comments_by_renderer_version on comments using btree (renderer_version, id);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "comments_by_renderer_version";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
