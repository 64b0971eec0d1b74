import type { EntityManager, QueryResult } from '@mikro-orm/postgresql';
import { RENDERER_VERSION, type RenderOptions } from './render.ts';
import { renderInThread } from './renderer.ts';
import { MarkdownRefusal } from './syntax/limits.ts';

/** A table whose `body` is Markdown. */
export interface RenderedTable {
  readonly name: string;
  readonly options: RenderOptions;
  /** Whether it has an excerpt and a reading time too. */
  readonly hasExcerpt: boolean;
}

export interface BackfillRun {
  /** Called after each batch. */
  onBatch?(progress: { table: string; rendered: number }): void;
  /** Abort to stop after the current batch. */
  readonly signal?: AbortSignal;
}

/**
 * Renders the rows that no renderer or an older one has rendered, in batches of one transaction each, and returns how many. Rows
 * say themselves whether they are rendered, so that the next run continues where one was killed. Several runs on one database take
 * turns.
 */
export async function renderOutdated(
  em: EntityManager,
  tables: readonly RenderedTable[],
  { onBatch, signal }: BackfillRun = {},
): Promise<number> {
  let total = 0;
  await renderInThread('', { headingAnchors: false }); // so that no transaction waits for the thread to start
  for (const table of tables) {
    let rendered = 0;
    let after: Position = { renderer_version: -1, id: 0 };
    let rows: number = BATCH.rows;
    while (!signal?.aborted) {
      const batch = await em.fork().transactional((transaction) => renderBatch(transaction, table, after, rows));
      if (batch === null) break;
      after = batch.last;
      rendered += batch.rendered;
      rows = Math.min(BATCH.rows, Math.ceil((rows * BATCH.milliseconds) / batch.milliseconds));
      onBatch?.({ table: table.name, rendered });
    }
    total += rendered;
  }
  return total;
}

interface Position {
  readonly renderer_version: number;
  readonly id: number;
}

interface Row extends Position {
  readonly body: string;
  readonly hash: string;
}

/** Rows are not locked while they are rendered: one that is changed meanwhile keeps what its writer made of it. */
async function renderBatch(em: EntityManager, table: RenderedTable, after: Position, limit: number) {
  await em.execute('select pg_advisory_xact_lock(?)', [LOCK]);
  const start = performance.now();
  const rows = await em.execute<Row[]>(
    `select id, renderer_version, body, md5(body) as hash
     from (
       select *, sum(length(body)) over (order by renderer_version, id) - length(body) as characters_before
       from (
         select id, renderer_version, body from ${table.name}
         where (renderer_version, id) > (?, ?) and renderer_version < ?
         order by renderer_version, id limit ${limit}
       ) as next
     ) as summed
     where characters_before < ${BATCH.characters}
     order by renderer_version, id`,
    [after.renderer_version, after.id, RENDERER_VERSION],
  );
  const last = rows.at(-1);
  if (!last) return null;
  const rendered = await Promise.all(rows.map((row) => rendering(row, table)));
  const extra = table.hasExcerpt ? 'opening_text = made.opening_text, reading_time_minutes = made.minutes,' : '';
  const { affectedRows } = await em.execute<QueryResult>(
    `update ${table.name} as stored
     set body_html = made.html, ${extra} renderer_version = ?,
       rendered_at = greatest(now(), stored.rendered_at + interval '1 millisecond')
     from json_to_recordset(?::json) as made (id int, hash text, html text, opening_text text, minutes int)
     where stored.id = made.id and md5(stored.body) = made.hash and stored.renderer_version < ?`,
    [RENDERER_VERSION, JSON.stringify(rendered), RENDERER_VERSION],
    'run',
  );
  return { last, rendered: affectedRows, milliseconds: performance.now() - start };
}

/** A text that is too complex to render gets the stand-in of rendered-fields.ts, and is not tried again until the next version. */
async function rendering({ id, hash, body }: Row, { options }: RenderedTable) {
  try {
    const { html, openingText, readingTimeMinutes } = await renderInThread(body, options);
    return { id, hash, html, opening_text: openingText, minutes: readingTimeMinutes };
  } catch (error) {
    if (!(error instanceof MarkdownRefusal)) throw error;
    return { id, hash };
  }
}

/** Small, so that a transaction takes a fraction of a second. After a batch that took longer, the next one has fewer rows. */
const BATCH = { rows: 100, characters: 200_000, milliseconds: 200 };
const LOCK = 0x6d61726b; // "mark"
