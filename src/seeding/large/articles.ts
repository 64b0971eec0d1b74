import { type Kysely, type RawBuilder, sql } from 'kysely';
import { Dice } from './dice.ts';
import type { Size } from './size.ts';
import { COMMENTS, DESCRIPTIONS, HEADINGS, LISTS, OPENINGS, PARAGRAPHS, SNIPPETS, SUBJECTS } from './words.ts';

export interface Cast {
  readonly users: readonly number[];
  readonly tags: readonly number[];
}

export interface AddedArticles {
  articles: number;
  favorites: number;
  comments: number;
}

/**
 * Adds the articles of these numbers that are not there yet, with their tags, favourites and comments, in one statement.
 * The triggers that count must be off: each article is born with its counts, and the tags are counted once a batch.
 * (An article whose favourites are counted one by one is rewritten, in seven indexes, for each of them.)
 */
export async function addArticles(
  db: Kysely<unknown>,
  size: Size,
  { users, tags }: Cast,
  from: number,
  to: number,
): Promise<AddedArticles> {
  const dice = new Dice(size.seed);
  const userIds = sql`${users}::int[]`;
  const anyUser = (thrown: { for: RawBuilder<unknown>; of: number }) =>
    sql`(${userIds})[1 + ${dice.below(users.length, thrown)}]`;

  const { rows } = await sql<Record<keyof AddedArticles, string>>`
    with missing as materialized (
      select n, title, slug
      from generate_series(${from}::int, ${to}::int) as n
      cross join lateral (
        select ${dice.oneOf(OPENINGS, { for: n, of: 21 })} || ' ' || ${dice.oneOf(SUBJECTS, { for: n, of: 22 })} as title
      ) as titled
      cross join lateral (
        select lower(regexp_replace(title, '[^a-zA-Z0-9]+', '-', 'g')) || ${`-${size.seed}-`}::text || n as slug
      ) as named
      where not exists (select from articles where articles.slug = named.slug)
    ),
    added as (
      insert into articles (slug, title, description, body, author_id, created_at, published_at, updated_at,
        favorites_count, comments_count)
      select slug, title, ${dice.oneOf(DESCRIPTIONS, { for: n, of: 23 })}, ${bodyOf(dice)},
        (${userIds})[1 + ${dice.popular(users.length, { for: n, of: 24 })}],
        published_at, published_at,
        published_at + make_interval(mins => case when ${dice.below(4, { for: n, of: 25 })} = 0
          then ${dice.below(40_000, { for: n, of: 26 })} else 0 end),
        ${dice.viral(4, Math.min(users.length, 5000), { for: n, of: 27 })},
        ${dice.viral(1.5, 2000, { for: n, of: 28 })}
      from missing
      cross join lateral (
        select timestamptz '2016-01-01Z' + (n::float8 / ${size.articles}::float8) * interval '3800 days' as published_at
      ) as dated
      order by n
      returning id, slug, published_at, favorites_count, comments_count
    ),
    fresh as materialized (select * from missing join added using (slug)),
    tagged as (
      insert into article_tags (article_id, tag_id)
      select id, (${tags}::int[])[1 + third + 3 * ${dice.popular(Math.floor(tags.length / 3), { for: ofThird, of: 31 })}]
      from fresh
      cross join generate_series(0, 2) as third
      order by n, ${dice.fraction({ for: ofThird, of: 32 })}
      returning tag_id
    ),
    recounted as (
      update tags set articles_count = articles_count + more
      from (select tag_id, count(*) as more from tagged group by tag_id) as used
      where id = tag_id
    ),
    favorited as (
      insert into favorites (user_id, article_id, created_at)
      select (${userIds})[1 + (${dice.below(users.length, { for: n, of: 41 })} + i::bigint * ${strideThrough(users)}) % ${users.length}::int],
        id, published_at + make_interval(mins => i * 20 + ${dice.below(1000, { for: n, of: 42 })})
      from fresh
      cross join lateral generate_series(1, favorites_count) as i
    ),
    commented as (
      insert into comments (article_id, author_id, body, created_at, updated_at)
      select id, ${anyUser({ for: ofItem, of: 51 })}, ${dice.oneOf(COMMENTS, { for: ofItem, of: 52 })}, said_at, said_at
      from fresh
      cross join lateral generate_series(1, comments_count) as i
      cross join lateral (
        select published_at + make_interval(mins => i * 60 + ${dice.below(60, { for: ofItem, of: 53 })}) as said_at
      ) as dated
      order by n, i
    )
    select count(*) as articles, coalesce(sum(favorites_count), 0) as favorites,
      coalesce(sum(comments_count), 0) as comments
    from fresh`.execute(db);

  const [added] = rows;
  return {
    articles: Number(added?.articles),
    favorites: Number(added?.favorites),
    comments: Number(added?.comments),
  };
}

/** Some 800 characters of Markdown: paragraphs, a heading, a list and a piece of code. */
const bodyOf = (dice: Dice) => sql`
  concat_ws(E'\n\n',
    ${dice.oneOf(PARAGRAPHS, { for: n, of: 61 })},
    '## ' || ${dice.oneOf(HEADINGS, { for: n, of: 62 })},
    ${dice.oneOf(PARAGRAPHS, { for: n, of: 63 })},
    ${dice.oneOf(LISTS, { for: n, of: 64 })},
    ${dice.oneOf(PARAGRAPHS, { for: n, of: 65 })},
    ${dice.oneOf(SNIPPETS, { for: n, of: 66 })})`;

/** A step through the users that meets each of them once before it meets one again: a prime that does not divide. */
const strideThrough = ({ length }: readonly number[]) => sql.lit(length % 7919 === 0 ? 7907 : 7919);

const n = sql`n`;
/** The tags are dealt into thirds and an article has one of each, so never the same twice. */
const ofThird = sql`n::bigint * 10 + third`;
const ofItem = sql`n::bigint * 10000 + i`;
