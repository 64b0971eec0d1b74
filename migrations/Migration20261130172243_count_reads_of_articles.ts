import { Migration } from '@mikro-orm/migrations';

export class Migration20261130172243_count_reads_of_articles extends Migration {
  override name = 'Migration20261130172243_count_reads_of_articles';

  override up(): void | Promise<void> {
    this.addSql(
      `create table "article_reads" ("article_id" int not null, "reader" text not null, "counted_at" timestamptz(3) not null, constraint "article_reads_pkey" primary key (article_id, reader));`,
    );
    this.addSql(`create index article_reads_by_counted_at on article_reads using btree (counted_at);`);
    this.addSql(`alter table "articles" add column "read_count" int not null default 0;`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "articles" drop column "read_count";`);
    this.addSql(`drop table "article_reads";`);
  }
}
