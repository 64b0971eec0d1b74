import { Migration } from '@mikro-orm/migrations';

/**
 * Gives the articles of before their slugs in article_slugs; those written meanwhile have theirs by triggers. Each batch
 * commits, so locks are short, and a migration that was interrupted keeps the batches it has done.
 */
export class Migration20261130134028_fill_article_slugs extends Migration {
  override name = 'Migration20261130134028_fill_article_slugs';

  safeBecause = { 'steps-outside-transaction': 'Repeating the loop skips the slugs that are there already.' };

  override up(): void {
    this.addSql(`do $$ declare last int := 0; begin
      while last is not null loop
        with batch as materialized (select id, slug from articles where id > last order by id limit 5000 for key share),
          filled as (insert into article_slugs (slug, article_id) select slug, id from batch on conflict (slug) do nothing)
        select max(id) into last from batch;
        commit;
      end loop;
    end $$;`);
    // The last statement shares a transaction with the record of the migration, in which the loop could not commit.
    this.addSql('select 1;');
  }

  override down(): void {
    // Nothing to undo: the table is dropped with the migration that makes it.
  }

  override isTransactional(): boolean {
    return false;
  }
}
