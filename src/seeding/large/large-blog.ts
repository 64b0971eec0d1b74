import type { EntityManager } from '@mikro-orm/postgresql';
import { type Kysely, sql } from 'kysely';
import { USUAL_SERVER } from '../pictures.ts';
import type { Progress } from '../progress.ts';
import { takeSeedLock } from '../seed-lock.ts';
import { addArticles } from './articles.ts';
import { requireOwner, withoutCountTriggers } from './disable-count-triggers.ts';
import { addFollows } from './follows.ts';
import type { Size } from './size.ts';
import { addTags, tagIdsOf } from './tags.ts';
import { addUsers, userIdsOf } from './users.ts';

/**
 * Adds what is missing from the blog of this size, one transaction per batch, and returns what it added. Every row is determined
 * by its number, so that the next run completes an interrupted one.
 */
export async function addLargeBlog(
  em: EntityManager,
  size: Size,
  { progress, signal, server = USUAL_SERVER }: SeedRun,
): Promise<Added> {
  const db = em.getKysely() as Kysely<unknown>;
  await requireOwner(db);
  const added = new Added();
  const inBatches = async (what: string, total: number, perBatch: number, add: AddBatch): Promise<void> => {
    if (signal.aborted) return;
    progress.start(what, total);
    for (let from = 1; from <= total && !signal.aborted; from += perBatch) {
      const to = Math.min(total, from + perBatch - 1);
      added.count(await em.transactional(async (batch) => add(await prepared(batch), from, to)));
      progress.update(to);
    }
    progress.end();
  };

  await inBatches('users', size.users, 10_000, (db, from, to) => addUsers(db, { size, server }, from, to));
  await inBatches('tags', size.tags, size.tags, (db) => addTags(db, size));
  if (signal.aborted) return added;

  const users = await userIdsOf(db, size);
  const tags = await tagIdsOf(db, size);
  await inBatches('follows of users', size.users, 5_000, (db, from, to) => addFollows(db, size, users, from, to));
  await inBatches('articles', size.articles, 2_500, (db, from, to) =>
    withoutCountTriggers(db, () => addArticles(db, size, { users, tags }, from, to)),
  );
  if (signal.aborted) return added;

  // The new rows have neither statistics nor a visibility map, which would slow down the first reads.
  await sql`vacuum (analyze) users, follows, tags, articles, article_search, article_tags, favorites, comments`.execute(
    db,
  );
  return added;
}

export interface SeedRun {
  readonly progress: Progress;
  /** Abort to stop after the current batch. */
  readonly signal: AbortSignal;
  /** The address of the server that draws the pictures of users. */
  readonly server?: string;
}

/** The number of rows added. Each article also has three tags. */
export class Added {
  users = 0;
  follows = 0;
  tags = 0;
  articles = 0;
  favorites = 0;
  comments = 0;

  count(more: Partial<Added>): void {
    for (const [name, rows] of Object.entries(more)) this[name as Counted] += rows as number;
  }
}

type Counted = 'users' | 'follows' | 'tags' | 'articles' | 'favorites' | 'comments';

type AddBatch = (db: Kysely<unknown>, from: number, to: number) => Promise<Partial<Added>>;

async function prepared(em: EntityManager): Promise<Kysely<unknown>> {
  const db = em.getKysely() as Kysely<unknown>;
  await takeSeedLock(db);
  // The planner overestimates these statements: compiling them took four times as long as running them.
  await sql`set local jit = off`.execute(db);
  return db;
}
