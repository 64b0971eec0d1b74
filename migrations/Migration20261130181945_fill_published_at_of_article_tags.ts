import { Migration } from '@mikro-orm/migrations';

/**
 * Dates the links of before; those written meanwhile are dated by triggers. The articles of a batch are locked, so that none is
 * published or taken back between reading its date and writing it. Each batch commits, so locks are short.
 */
export class Migration20261130181945_fill_published_at_of_article_tags extends Migration {
  override name = 'Migration20261130181945_fill_published_at_of_article_tags';

  safeBecause = { 'steps-outside-transaction': 'Repeating the loop skips the links that are dated already.' };

  override up(): void {
    this.addSql(`do $$ declare last int := 0; begin
      while last is not null loop
        with batch as materialized (
            select position, case status when 'PUBLISHED' then articles.published_at end as date
            from article_tags join articles on id = article_id
            where position > last order by position limit 5000 for share of articles
          ),
          filled as (
            update article_tags set published_at = date from batch
            where article_tags.position = batch.position and published_at is distinct from date
          )
        select max(position) into last from batch;
        commit;
      end loop;
    end $$;`);
    // The last statement shares a transaction with the record of the migration, in which the loop could not commit.
    this.addSql('select 1;');
  }

  override down(): void {
    // Nothing to undo: the column is dropped with the migration that adds it.
  }

  override isTransactional(): boolean {
    return false;
  }
}
