import { setTimeout as sleep } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Logger } from 'pino';
import { RENDERED_TABLES } from '../comments/rendered-tables.ts';
import { renderOutdated } from '../markdown/backfill.ts';
import { startRenderer } from '../markdown/renderer.ts';
import type { Readiness } from './http/health.ts';

/**
 * Renders what an older version or another program has written: once the database is migrated, and again every minute, since older
 * servers go on writing while a new version is rolled out. Finding nothing takes one lookup in an index of each table.
 */
export function renderInBackground({ em }: MikroORM, readiness: Readiness, log: Logger): { close(): Promise<void> } {
  startRenderer();
  const stop = new AbortController();
  const { signal } = stop;
  const loop = async () => {
    while (!signal.aborted) {
      try {
        if ((await readiness.notReadyReason()) === null) {
          const rendered = await renderOutdated(em, RENDERED_TABLES, { signal });
          if (rendered > 0) log.info(`Rendered ${rendered} texts of older versions`);
        }
      } catch (err) {
        log.warn({ err }, 'Rendering texts of older versions failed, retrying in a minute');
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

const MINUTE = 60_000;
