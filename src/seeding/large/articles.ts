import { type Kysely, sql } from 'kysely';
import type { Size } from './size.ts';
import { type Key, SqlRandom } from './sql-random.ts';
import { COMMENTS, DESCRIPTIONS, HEADINGS, LISTS, OPENINGS, PARAGRAPHS, SNIPPETS, SUBJECTS } from './words.ts';

export interface BlogIds {
  readonly users: readonly number[];
  readonly tags: readonly number[];
}

export interface AddedArticles {
  articles: number;
  favorites: number;
  comments: number;
}

/**
 * Adds the missing articles of these numbers, with their tags, favourites and comments, in one statement. The count triggers
 * must be disabled: each article is inserted with its counts, and the tags are counted once per batch. (The triggers would
 * rewrite the article, in seven indexes, for each favourite.)
 */
export async function addArticles(
  db: Kysely<unknown>,
  size: Size,
  { users, tags }: BlogIds,
  from: number,
  to: number,
): Promise<AddedArticles> {
  const random = new SqlRandom(size.seed);
  const userIds = sql`${users}::int[]`;
  const anyUser = (key: Key) => sql`(${userIds})[1 + ${random.below(users.length, key)}]`;

  const { rows } = await sql<Record<keyof AddedArticles, string>>`
    with missing as materialized (
      select n, title, slug
      from generate_series(${from}::int, ${to}::int) as n
      cross join lateral (
        select ${random.oneOf(OPENINGS, { row: n, stream: 21 })} || ' ' || ${random.oneOf(SUBJECTS, { row: n, stream: 22 })} as title
      ) as titled
      cross join lateral (
        select lower(regexp_replace(title, '[^a-zA-Z0-9]+', '-', 'g')) || ${`-${size.seed}-`}::text || n as slug
      ) as named
      where not exists (select from article_slugs where article_slugs.slug = named.slug)
    ),
    added as (
      insert into articles (slug, title, description, body, author_id, created_at, published_at, updated_at,
        favorites_count, comments_count, read_count)
      select slug, title, ${random.oneOf(DESCRIPTIONS, { row: n, stream: 23 })}, ${bodyOf(random)},
        (${userIds})[1 + ${random.skewed(users.length, { row: n, stream: 24 })}],
        published_at, published_at,
        published_at + make_interval(mins => case when ${random.below(4, { row: n, stream: 25 })} = 0
          then ${random.below(40_000, { row: n, stream: 26 })} else 0 end),
        ${random.longTailed(4, Math.min(users.length, 5000), { row: n, stream: 27 })},
        ${random.longTailed(1.5, 2000, { row: n, stream: 28 })},
        ${random.longTailed(60, 100_000, { row: n, stream: 29 })}
      from missing
      cross join lateral (
        select timestamptz '2016-01-01Z' + (n::float8 / ${size.articles}::float8) * interval '3800 days' as published_at
      ) as dated
      order by n
      returning id, slug, published_at, favorites_count, comments_count
    ),
    fresh as materialized (select * from missing join added using (slug)),
    tagged as (
      insert into article_tags (article_id, published_at, tag_id)
      select id, published_at, (${tags}::int[])[1 + third + 3 * ${random.skewed(Math.floor(tags.length / 3), { row: ofThird, stream: 31 })}]
      from fresh
      cross join generate_series(0, 2) as third
      order by n, ${random.fraction({ row: ofThird, stream: 32 })}
      returning tag_id
    ),
    recounted as (
      update tags set articles_count = articles_count + more
      from (select tag_id, count(*) as more from tagged group by tag_id) as used
      where id = tag_id
    ),
    favorited as (
      insert into favorites (user_id, article_id, created_at)
      select (${userIds})[1 + (${random.below(users.length, { row: n, stream: 41 })} + i::bigint * ${strideThrough(users)}) % ${users.length}::int],
        id, published_at + make_interval(mins => i * 20 + ${random.below(1000, { row: n, stream: 42 })})
      from fresh
      cross join lateral generate_series(1, favorites_count) as i
    ),
    commented as (
      insert into comments (article_id, author_id, body, created_at, updated_at)
      select id, ${anyUser({ row: ofItem, stream: 51 })}, ${random.oneOf(COMMENTS, { row: ofItem, stream: 52 })}, said_at, said_at
      from fresh
      cross join lateral generate_series(1, comments_count) as i
      cross join lateral (
        select published_at + make_interval(mins => i * 60 + ${random.below(60, { row: ofItem, stream: 53 })}) as said_at
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

/** About 800 characters of Markdown: paragraphs, a heading, a list and a code block. */
const bodyOf = (random: SqlRandom) => sql`
  concat_ws(E'\n\n',
    ${random.oneOf(PARAGRAPHS, { row: n, stream: 61 })},
    '## ' || ${random.oneOf(HEADINGS, { row: n, stream: 62 })},
    ${random.oneOf(PARAGRAPHS, { row: n, stream: 63 })},
    ${random.oneOf(LISTS, { row: n, stream: 64 })},
    ${random.oneOf(PARAGRAPHS, { row: n, stream: 65 })},
    ${random.oneOf(SNIPPETS, { row: n, stream: 66 })})`;

/** A step that visits every user before it repeats one: a prime that does not divide their number. */
const strideThrough = ({ length }: readonly number[]) => sql.lit(length % 7919 === 0 ? 7907 : 7919);

const n = sql`n`;
/** Each tag of an article comes from another third of the tags, so that none repeats. */
const ofThird = sql`n::bigint * 10 + third`;
const ofItem = sql`n::bigint * 10000 + i`;
