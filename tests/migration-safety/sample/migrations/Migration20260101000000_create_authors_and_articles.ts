import { Migration } from '@mikro-orm/migrations';

export class Migration20260101000000_create_authors_and_articles extends Migration {
  override up(): void {
    this.addSql(
      `create table "authors" ("id" serial primary key, "name" varchar(255) not null, "email" varchar(255) not null);`,
    );
    this.addSql(`alter table "authors" add constraint "authors_email_unique" unique ("email");`);
    this.addSql(
      `create table "articles" ("id" serial primary key, "title" varchar(255) not null, "body" text not null, "author_id" int not null);`,
    );
    this.addSql(
      `alter table "articles" add constraint "articles_author_id_foreign" foreign key ("author_id") references "authors" ("id");`,
    );
  }

  override down(): void {
    this.addSql(`drop table "articles";`);
    this.addSql(`drop table "authors";`);
  }
}
