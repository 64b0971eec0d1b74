import type { EntityManager } from '@mikro-orm/postgresql';
import { type Kysely, sql } from 'kysely';
import type { Progress } from '../progress.ts';
import { oneSeedAtATime } from '../seed-lock.ts';
import { addArticles } from './articles.ts';
import { requireOwner, withoutCounting } from './disable-count-triggers.ts';
import { addFollows } from './follows.ts';
import type { Size } from './size.ts';
import { addTags, idsOfTags } from './tags.ts';
import { addUsers, idsOfUsers } from './users.ts';

/**
 * Adds what is missing of the blog of this size, one transaction a batch. Everything in it has a number that says all the
 * rest, so a run that was interrupted, by a signal or a crash, is completed by the next one. Answers what it added.
 */
export async function addLargeBlog(em: EntityManager, size: Size, { progress, signal }: Course): Promise<Added> {
  const db = em.getKysely() as Kysely<unknown>;
  await requireOwner(db);
  const added = new Added();
  const inBatches = async (what: string, total: number, perBatch: number, add: AddBatch): Promise<void> => {
    if (signal.aborted) return;
    progress.start(what, total);
    for (let from = 1; from <= total && !signal.aborted; from += perBatch) {
      const to = Math.min(total, from + perBatch - 1);
      added.count(await em.transactional(async (batch) => add(await prepared(batch), from, to)));
      progress.reached(to);
    }
    progress.end();
  };

  await inBatches('users', size.users, 10_000, (db, from, to) => addUsers(db, size, from, to));
  await inBatches('tags', size.tags, size.tags, (db) => addTags(db, size));
  if (signal.aborted) return added;

  const users = await idsOfUsers(db, size);
  const tags = await idsOfTags(db, size);
  await inBatches('follows of users', size.users, 5_000, (db, from, to) => addFollows(db, size, users, from, to));
  await inBatches('articles', size.articles, 2_500, (db, from, to) =>
    withoutCounting(db, () => addArticles(db, size, { users, tags }, from, to)),
  );
  if (signal.aborted) return added;

  // What was just written has neither statistics nor a visibility map: the first readers would pay for both.
  await sql`vacuum (analyze) users, follows, tags, articles, article_tags, favorites, comments`.execute(db);
  return added;
}

export interface Course {
  readonly progress: Progress;
  /** Aborted to stop after the batch that is under way. */
  readonly signal: AbortSignal;
}

/** How many rows were added. Each article has three tags besides. */
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
  await oneSeedAtATime(db);
  // The planner takes these statements for huge ones: compiling them took four times as long as running them.
  await sql`set local jit = off`.execute(db);
  return db;
}
