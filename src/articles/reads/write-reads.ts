import type { EntityManager, QueryResult } from '@mikro-orm/postgresql';
import { STATUS_SQL } from '../article-status.ts';

/** A read, as a row of article_reads. */
export interface Read {
  readonly article_id: number;
  readonly reader: string;
}

/**
 * Counts the reads that are the first ones of their window, in one statement: it counts each of them or none. All processes share the
 * window, since it is in the table. Drafts and articles that are gone are not counted. Rows are locked in the order of their keys,
 * so that two processes do not deadlock, and articles last, so that other writers hardly wait.
 */
export async function writeReads(em: EntityManager, reads: readonly Read[]): Promise<void> {
  await em.execute(
    `with counted as (
       insert into article_reads as kept (article_id, reader, counted_at)
       select id, reader, now() from json_to_recordset(?::json) as asked (article_id int, reader text)
       join articles on id = asked.article_id and status = ${STATUS_SQL.PUBLISHED}
       order by id, reader
       on conflict (article_id, reader) do update set counted_at = excluded.counted_at
         where kept.counted_at <= excluded.counted_at - ${WINDOW}
       returning article_id
     ),
     reads as (select article_id, count(*)::int as more from counted group by article_id),
     locked as materialized (
       select id, more from articles join reads on article_id = id order by id for no key update of articles
     )
     update articles set read_count = read_count + more from locked where articles.id = locked.id`,
    [JSON.stringify(reads)],
  );
}

/** Deletes the rows whose window is over. Rows that another process is counting or deleting are left to it. */
export async function deleteExpiredReads(em: EntityManager): Promise<void> {
  for (let deleted = ROWS_AT_ONCE; deleted === ROWS_AT_ONCE; ) {
    const { affectedRows } = await em.execute<QueryResult>(
      `delete from article_reads where (article_id, reader) in (
         select article_id, reader from article_reads where counted_at <= now() - ${WINDOW}
         order by counted_at limit ${ROWS_AT_ONCE} for update skip locked
       )`,
      [],
      'run',
    );
    deleted = affectedRows;
  }
}

/** For how long a reader's next read of the same article does not count. */
export const READ_WINDOW_MINUTES = 30;
const WINDOW = `interval '${READ_WINDOW_MINUTES} minutes'`;

const ROWS_AT_ONCE = 10_000;
