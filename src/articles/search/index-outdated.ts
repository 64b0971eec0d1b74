import type { EntityManager } from '@mikro-orm/postgresql';
import { LANGUAGE } from './search-functions.ts';

export interface IndexRun {
  /** Called after each batch with the number of articles indexed so far. */
  onBatch?(indexed: number): void;
  /** Abort to stop after the current batch. */
  readonly signal?: AbortSignal;
}

/** SEARCH_LANGUAGE is not a text search configuration of the database. */
export class UnknownLanguageError extends Error {
  constructor(language: string, known: readonly string[]) {
    super(`SEARCH_LANGUAGE is "${language}"; the database has these: ${known.join(', ')}.`);
    this.name = 'UnknownLanguageError';
  }
}

/** Sets the language in which texts are indexed from now on. `indexOutdated` then indexes the others again. */
export async function setSearchLanguage(em: EntityManager, language: string): Promise<void> {
  const rows = await em.execute<{ name: string }[]>('select cfgname as name from pg_ts_config order by 1');
  const known = rows.map(({ name }) => name);
  if (!known.includes(language)) throw new UnknownLanguageError(language, known);
  await em.execute(
    `insert into search_settings as stored (id, language) values (1, ?)
     on conflict (id) do update set language = excluded.language where stored.language <> excluded.language`,
    [language],
  );
}

/**
 * Indexes the articles that are not indexed yet or are indexed in another language, and returns how many. Each batch is a
 * transaction. A row says in which language it is indexed, so the next run continues where one was killed. Several runs take turns.
 */
export async function indexOutdated(em: EntityManager, { onBatch, signal }: IndexRun = {}): Promise<number> {
  let indexed = 0;
  while (!signal?.aborted) {
    const count = await em.fork().transactional(indexBatch);
    if (count === 0) break;
    indexed += count;
    onBatch?.(indexed);
  }
  return indexed;
}

/** Reads two ranges of the index article_search_by_language: a condition with `<>` would read all of it. */
async function indexBatch(em: EntityManager): Promise<number> {
  await em.execute('select pg_advisory_xact_lock(?)', [LOCK]);
  const outdated = (comparison: '<' | '>') =>
    `(select article_id from article_search
      where language ${comparison} ${LANGUAGE}
      order by language, article_id limit ${BATCH})`;
  const rows = await em.execute<{ article_id: number }[]>(`${outdated('<')} union all ${outdated('>')} limit ${BATCH}`);
  for (const { article_id } of rows.toSorted((one, other) => one.article_id - other.article_id)) {
    await em.execute('select index_article(?)', [article_id]);
  }
  return rows.length;
}

/** Small, so that a transaction takes a fraction of a second: a writer of one of its articles waits for it. */
const BATCH = 100;
const LOCK = 0x73656172; // "sear"
