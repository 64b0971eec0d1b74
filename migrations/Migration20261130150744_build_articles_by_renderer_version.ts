import { Migration } from '@mikro-orm/migrations';

export class Migration20261130150744_build_articles_by_renderer_version extends Migration {
  override name = 'Migration20261130150744_build_articles_by_renderer_version';

  override up(): void | Promise<void> {
    this.addSql(
      `create index concurrently if not exists articles_by_renderer_version on articles using btree (renderer_version, id);`,
    );
  }

  override down(): void | Promise<void> {
    this.addSql(`drop index concurrently if exists "articles_by_renderer_version";`);
  }

  override isTransactional(): boolean {
    return false;
  }
}
