import { type Kysely, sql } from 'kysely';
import { Dice } from './dice.ts';
import type { Size } from './size.ts';

/**
 * Adds whom the users of these numbers follow: up to ten each, the hubs far more often. The users are dealt into ten rows
 * and each choice is made from a row of its own, so that nobody follows the same person twice.
 */
export async function addFollows(
  db: Kysely<unknown>,
  size: Size,
  users: readonly number[],
  from: number,
  to: number,
): Promise<{ follows: number }> {
  const dice = new Dice(size.seed);
  const most = Math.min(10, Math.floor(size.users / 2));
  const { rows } = await sql<{ follows: string }>`
    with added as (
      insert into follows (follower_id, followed_id, created_at)
      select (${users}::int[])[follower], (${users}::int[])[followed],
        timestamptz '2016-01-01Z' + make_interval(mins => ${dice.below(5_000_000, { for: choice, of: 11 })})
      from generate_series(${from}::int, ${to}::int) as follower
      cross join lateral generate_series(1, ${dice.below(most + 1, { for: sql`follower`, of: 12 })}) as i
      cross join lateral (
        select 1 + (i - 1) + ${most}::int * ${dice.popular(Math.floor(size.users / most), { for: choice, of: 13 })} as followed
      ) as chosen
      where follower <> followed
      on conflict do nothing
      returning 1
    )
    select count(*) as follows from added`.execute(db);
  return { follows: Number(rows[0]?.follows) };
}

const choice = sql`follower::bigint * 100 + i`;
