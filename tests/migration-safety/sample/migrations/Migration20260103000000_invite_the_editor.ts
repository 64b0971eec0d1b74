import { Migration } from '@mikro-orm/migrations';

/** Moves data: run twice, there would be two editors. */
export class Migration20260103000000_invite_the_editor extends Migration {
  override async up(): Promise<void> {
    const [{ count }] = (await this.execute(`select count(*)::int as count from "authors"`)) as [{ count: number }];
    this.addSql(`insert into "authors" ("name", "email") values ('Editor', 'editor-${count}@example.com')`);
  }

  override down(): void {
    this.addSql(`delete from "authors" where "name" = 'Editor'`);
  }
}
