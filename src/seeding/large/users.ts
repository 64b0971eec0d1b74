import { type Kysely, type RawBuilder, sql } from 'kysely';
import { PASSWORD_HASH } from '../credentials.ts';
import { ExitCode, SeedError } from '../seed-error.ts';
import type { Size } from './size.ts';
import { SqlRandom } from './sql-random.ts';
import { FIRST_NAMES, LAST_NAMES } from './words.ts';

/** Adds the missing users of these numbers and returns how many it added. */
export async function addUsers(
  db: Kysely<unknown>,
  { size, server }: { size: Size; server: string },
  from: number,
  to: number,
): Promise<{ users: number }> {
  const random = new SqlRandom(size.seed);
  const { rows } = await sql`
    insert into users (username, username_key, email, email_key, password_hash, bio, image, created_at)
    select name, name, email, email, ${PASSWORD_HASH},
      'Writes about ' || ${random.oneOf(INTERESTS, { row: n, stream: 3 })} || '.',
      ${`${server}/avatars/`}::text || name || '.svg',
      timestamptz '2015-01-01Z' + make_interval(mins => ${random.below(525_600, { row: n, stream: 4 })})
    from generate_series(${from}::int, ${to}::int) as n
    cross join lateral (select ${nameOf(size, random)} as name, ${emailOf(size)} as email) as account
    order by n
    on conflict do nothing
    returning id`.execute(db);
  return { users: rows.length };
}

/** The ids of all users of the blog, by number. */
export async function userIdsOf(db: Kysely<unknown>, size: Size): Promise<number[]> {
  const { rows } = await sql<{ id: number | null; name: string }>`
    select id, ${nameOf(size, new SqlRandom(size.seed))} as name
    from generate_series(1, ${size.users}::int) as n
    left join users on email_key = ${emailOf(size)}
    order by n`.execute(db);
  const taken = rows.filter(({ id }) => id === null).map(({ name }) => name);
  if (taken.length > 0) {
    throw new SeedError(
      ExitCode.NAME_TAKEN,
      `${taken.length} user names belong to accounts that the seed did not create: ${taken.slice(0, 5).join(', ')}. ` +
        'Another --seed uses other names.',
    );
  }
  return rows.map(({ id }) => Number(id));
}

/** Users are numbered from 1; the domain distinguishes those of different seeds. */
export const emailOfUser = (number: number | string, { seed }: Size) => `user${number}@seed${seed}.conduit.example`;

const emailOf = (size: Size): RawBuilder<string> => {
  const [before, after] = emailOfUser('|', size).split('|');
  return sql`${before}::text || n || ${after}::text`;
};

const nameOf = (size: Size, random: SqlRandom): RawBuilder<string> => sql`
  concat_ws('-', ${random.oneOf(FIRST_NAMES, { row: n, stream: 1 })}, ${random.oneOf(LAST_NAMES, { row: n, stream: 2 })},
    nullif(${size.seed}::int, 1), n)`;

const n = sql`n`;

const INTERESTS = [
  'databases and bread',
  'distributed systems, mostly failing ones',
  'teaching people to program',
  'the web, since before it had frames',
  'compilers and long walks',
  'operations, gardens and patience',
  'interfaces that stay out of the way',
  'data, maps and trains',
];
