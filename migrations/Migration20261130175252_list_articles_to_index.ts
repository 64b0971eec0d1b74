import { Migration } from '@mikro-orm/migrations';

/**
 * Lists the articles of before in article_search, without their words: `npm run search:index` and the server add those. Each batch
 * commits, so locks are short, and a migration that was interrupted keeps the batches it has done.
 */
export class Migration20261130175252_list_articles_to_index extends Migration {
  override name = 'Migration20261130175252_list_articles_to_index';

  safeBecause = { 'steps-outside-transaction': 'Repeating the loop skips the articles that are listed already.' };

  override up(): void {
    this.addSql(`do $$ declare last int := 0; begin
      while last is not null loop
        with batch as materialized (select id from articles where id > last order by id limit 5000 for key share),
          listed as (insert into article_search (article_id) select id from batch on conflict (article_id) do nothing)
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
