import { type Kysely, sql } from 'kysely';
import type { Size } from './size.ts';
import { SqlRandom } from './sql-random.ts';

/**
 * Adds the follows of the users of these numbers: up to ten each, with popular users followed far more often. Each choice is
 * made from another tenth of the users, so that none repeats.
 */
export async function addFollows(
  db: Kysely<unknown>,
  size: Size,
  users: readonly number[],
  from: number,
  to: number,
): Promise<{ follows: number }> {
  const random = new SqlRandom(size.seed);
  const max = Math.min(10, Math.floor(size.users / 2));
  const { rows } = await sql<{ follows: string }>`
    with added as (
      insert into follows (follower_id, followed_id, created_at)
      select (${users}::int[])[follower], (${users}::int[])[followed],
        timestamptz '2016-01-01Z' + make_interval(mins => ${random.below(5_000_000, { row: choice, stream: 11 })})
      from generate_series(${from}::int, ${to}::int) as follower
      cross join lateral generate_series(1, ${random.below(max + 1, { row: sql`follower`, stream: 12 })}) as i
      cross join lateral (
        select 1 + (i - 1) + ${max}::int * ${random.skewed(Math.floor(size.users / max), { row: choice, stream: 13 })} as followed
      ) as chosen
      where follower <> followed
      on conflict do nothing
      returning 1
    )
    select count(*) as follows from added`.execute(db);
  return { follows: Number(rows[0]?.follows) };
}

const choice = sql`follower::bigint * 100 + i`;
