import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import { isBot, type Reader, ReaderIds } from './reader-ids.ts';
import { deleteExpiredReads, type Read, writeReads } from './write-reads.ts';

/**
 * Counts reads of articles. They are buffered and written once a second, so that a popular article is updated once a second by each
 * process, however many read it. `close` writes the rest; a process that is killed loses what it has not written yet.
 */
export class ReadCounter {
  /** By article and reader, so that each pair is there once. */
  private buffered = new Map<string, Read>();
  private readonly readerIds: ReaderIds;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private cleanedAt = performance.now();

  constructor(
    private readonly em: EntityManager,
    { secretKey }: { readonly secretKey: string },
    private readonly log: { warn(fault: object, line: string): void; error(fault: object, line: string): void },
  ) {
    this.readerIds = new ReaderIds(secretKey);
  }

  /** Buffers a read. Waits only when the buffer is full, and throws when it cannot be written. */
  async count(articleId: number, reader: Reader): Promise<void> {
    if (isBot(reader)) return;
    const id = this.readerIds.idOf(reader);
    while (this.buffered.size >= MAX_BUFFERED) await this.flush();
    this.buffered.set(`${articleId} ${id}`, { article_id: articleId, reader: id });
    this.startTimer();
  }

  /** Writes what is buffered. What cannot be written stays for the next time. */
  flush(): Promise<void> {
    this.writing ??= this.write().finally(() => {
      this.writing = undefined;
    });
    return this.writing;
  }

  /** Writes everything; call it when no request is left. */
  async close(): Promise<void> {
    for (let attempt = 1; this.buffered.size > 0 || this.writing; attempt += 1) {
      try {
        await this.flush();
      } catch (err) {
        if (attempt < MAX_ATTEMPTS_AT_CLOSE) await sleep(FLUSH_INTERVAL);
        else return this.log.error({ err }, `${this.buffered.size} reads of articles were not counted`);
      }
    }
    clearTimeout(this.timer);
  }

  private async write(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const reads = this.buffered;
    if (reads.size === 0) return;
    this.buffered = new Map();
    try {
      await writeReads(this.em.fork(), [...reads.values()]);
    } catch (error) {
      // Writing them again is safe even if they were committed: article_reads then has them, and they do not count again.
      this.buffered = new Map([...reads, ...this.buffered]);
      this.startTimer();
      throw error;
    }
    if (performance.now() - this.cleanedAt < CLEANING_INTERVAL) return;
    this.cleanedAt = performance.now();
    await deleteExpiredReads(this.em.fork());
  }

  private startTimer(): void {
    this.timer ??= setTimeout(async () => {
      try {
        await this.flush();
      } catch (err) {
        this.log.warn({ err }, 'Writing reads of articles failed, retrying');
      }
    }, FLUSH_INTERVAL).unref();
  }
}

/** Milliseconds. */
const FLUSH_INTERVAL = 1000;
const CLEANING_INTERVAL = 60_000;

/** One statement writes them all in a fraction of a second. */
const MAX_BUFFERED = 10_000;

const MAX_ATTEMPTS_AT_CLOSE = 3;
