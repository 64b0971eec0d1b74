import { setTimeout as sleep } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Logger } from 'pino';
import { indexOutdated, setSearchLanguage, UnknownLanguageError } from '../articles/search/index-outdated.ts';
import { RENDERED_TABLES } from '../comments/rendered-tables.ts';
import { renderOutdated } from '../markdown/backfill.ts';
import { startRenderer } from '../markdown/renderer.ts';
import type { Readiness } from './http/health.ts';

/**
 * Renders what an older version or another program has written, and indexes what is not indexed in the language of the search: once
 * the database is migrated, and again every minute, since older servers go on writing while a new version is rolled out. Finding
 * nothing takes one lookup in an index of each table.
 */
export function runBackfills(
  { em }: MikroORM,
  { readiness, searchLanguage, log }: Backfills,
): { close(): Promise<void> } {
  startRenderer();
  const stop = new AbortController();
  const { signal } = stop;
  // Once, since servers with another setting may run at the same time.
  let language = searchLanguage;
  const setLanguage = async (name: string) => {
    try {
      await setSearchLanguage(em.fork(), name);
    } catch (error) {
      // It stays unknown however often it is tried.
      if (!(error instanceof UnknownLanguageError)) throw error;
      log.error(`${error.message} Searching in the language that was set before.`);
    }
  };
  const loop = async () => {
    while (!signal.aborted) {
      try {
        if ((await readiness.notReadyReason()) === null) {
          const rendered = await renderOutdated(em, RENDERED_TABLES, { signal });
          if (rendered > 0) log.info(`Rendered ${rendered} texts of older versions`);
          if (language) await setLanguage(language);
          language = undefined;
          const indexed = await indexOutdated(em, { signal });
          if (indexed > 0) log.info(`Indexed ${indexed} articles for the search`);
        }
      } catch (err) {
        log.warn({ err }, 'Updating texts of older versions failed, retrying in a minute');
      }
      await sleep(MINUTE, undefined, { signal, ref: false }).catch(() => {});
    }
  };
  const ended = loop();
  return {
    async close() {
      stop.abort();
      await ended;
    },
  };
}

interface Backfills {
  readonly readiness: Readiness;
  readonly searchLanguage?: string | undefined;
  readonly log: Logger;
}

const MINUTE = 60_000;
