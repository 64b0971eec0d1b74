import { beforeEach, expect, test } from 'vitest';
import { nameKey } from '../../src/text/fold-case.ts';
import { aSmallBlog } from '../reading/small-blog.ts';
import { WRONG_COUNTERS } from '../support/counters.ts';
import { orm } from '../support/test-server.ts';

/** Constraints that hold for any writer, tested in plain SQL. Users 1 to 4, articles 1 to 9 and tags 1 to 4 exist. */

beforeEach(aSmallBlog);

const execute = (sql: string): Promise<any[]> => orm.em.fork().execute(sql);

const user = (values: Record<string, string>) => {
  const all = {
    username: `'eve'`,
    username_key: `'eve'`,
    email: `'e@v'`,
    email_key: `'e@v'`,
    password_hash: `'-'`,
    ...values,
  };
  return `insert into users (${Object.keys(all)}) values (${Object.values(all)})`;
};
const article = (values: Record<string, string>) => {
  const all = { slug: `'s'`, title: `'t'`, description: `'d'`, body: `'b'`, author_id: '1', ...values };
  return `insert into articles (${Object.keys(all)}) values (${Object.values(all)})`;
};
const long = (length: number) => `repeat('ß', ${length})`;

/** For each constraint, statements that violate it and statements just within it. */
const CONSTRAINTS: Record<string, { bad: string[]; good?: string[] }> = {
  users_pkey: { bad: [user({ id: '1' })] },
  users_username_unique: { bad: [user({ username_key: `'ann'` })] },
  users_email_unique: { bad: [user({ email_key: `'ann@example.com'` })] },
  users_username_length: {
    bad: [user({ username: `''` }), user({ username: long(51) })],
    good: [user({ username: long(50) })],
  },
  users_email_length: {
    bad: [user({ email: `'e@'` }), user({ email: long(255) })],
    good: [user({ email: long(254) })],
  },
  users_bio_length: { bad: [user({ bio: `''` }), user({ bio: long(1001) })], good: [user({ bio: long(1000) })] },
  users_image_length: {
    bad: [user({ image: `''` }), user({ image: long(2049) })],
    good: [user({ image: long(2048) })],
  },
  sessions_pkey: {
    bad: [`insert into sessions (id, user_id, refresh_token_hash, expires_at) select id, 1, '-', now() from sessions`],
  },
  sessions_user_id_foreign: {
    bad: [`insert into sessions (user_id, refresh_token_hash, expires_at) values (99, '-', now())`],
  },
  rate_limits_pkey: { bad: [`insert into rate_limits values ('k', 1, 1), ('k', 1, 1)`] },
  follows_pkey: { bad: ['insert into follows (follower_id, followed_id) values (1, 2)'] },
  follows_not_oneself: { bad: ['insert into follows (follower_id, followed_id) values (1, 1)'] },
  follows_follower_id_foreign: { bad: ['insert into follows (follower_id, followed_id) values (99, 1)'] },
  follows_followed_id_foreign: { bad: ['insert into follows (follower_id, followed_id) values (1, 99)'] },
  idempotency_keys_pkey: {
    bad: [`insert into idempotency_keys (user_id, key, request) values (1, 'k', 'r'), (1, 'k', 'r')`],
  },
  idempotency_keys_user_id_foreign: {
    bad: [`insert into idempotency_keys (user_id, key, request) values (99, 'k', 'r')`],
  },
  idempotency_keys_key_length: {
    bad: [
      `insert into idempotency_keys (user_id, key, request) values (1, '', 'r')`,
      `insert into idempotency_keys (user_id, key, request) values (1, ${long(201)}, 'r')`,
    ],
    good: [`insert into idempotency_keys (user_id, key, request) values (1, ${long(200)}, 'r')`],
  },
  articles_pkey: { bad: [article({ id: '1' })] },
  articles_slug_unique: { bad: [article({ slug: `'article-1'` })] },
  articles_author_id_foreign: { bad: [article({ author_id: '99' })] },
  articles_slug_length: {
    bad: [article({ slug: `''` }), article({ slug: long(101) })],
    good: [article({ slug: long(100) })],
  },
  articles_title_length: {
    bad: [article({ title: `''` }), article({ title: long(201) })],
    good: [article({ title: long(200) })],
  },
  articles_description_length: {
    bad: [article({ description: `''` }), article({ description: long(501) })],
    good: [article({ description: long(500) })],
  },
  articles_body_length: {
    bad: [article({ body: `''` }), article({ body: long(100_001) })],
    good: [article({ body: long(100_000) })],
  },
  articles_cover_image_length: {
    bad: [article({ cover_image: `''` }), article({ cover_image: long(2049) })],
    good: [article({ cover_image: long(2048) })],
  },
  articles_status_check: { bad: [article({ status: `'HIDDEN'` })], good: [article({ status: `'DRAFT'` })] },
  articles_published_at: {
    bad: [article({ published_at: 'null' }), article({ published_at: 'null', status: `'PUBLISHED'` })],
    good: [article({ published_at: 'null', status: `'DRAFT'` })],
  },
  article_slugs_pkey: { bad: [`insert into article_slugs (slug, article_id) values ('article-1', 2)`] },
  article_slugs_article_id_foreign: { bad: [`insert into article_slugs (slug, article_id) values ('new', 99)`] },
  article_reads_pkey: {
    bad: [`insert into article_reads (article_id, reader, counted_at) values (1, 'r', now()), (1, 'r', now())`],
  },
  article_search_pkey: { bad: ['insert into article_search (article_id) values (1), (1)'] },
  article_search_article_id_foreign: { bad: ['insert into article_search (article_id) values (99)'] },
  search_settings_pkey: { bad: [`insert into search_settings values (1, 'simple'), (1, 'german')`] },
  search_settings_one_row: {
    bad: [`insert into search_settings values (2, 'simple')`],
    good: [`insert into search_settings values (1, 'simple')`],
  },
  tags_pkey: { bad: [`insert into tags (id, name) values (1, 'new')`] },
  tags_name_unique: {
    bad: [`insert into tags (name) values ('red')`],
    good: [`insert into tags (name) values ('Red')`],
  },
  tags_name_length: {
    bad: [`insert into tags (name) values ('')`, `insert into tags (name) values (${long(51)})`],
    good: [`insert into tags (name) values (${long(50)})`],
  },
  article_tags_pkey: { bad: ['insert into article_tags (position, article_id, tag_id) values (1, 9, 4)'] },
  article_tags_unique: { bad: ['insert into article_tags (article_id, tag_id) values (1, 1)'] },
  article_tags_article_id_foreign: { bad: ['insert into article_tags (article_id, tag_id) values (99, 1)'] },
  article_tags_tag_id_foreign: { bad: ['insert into article_tags (article_id, tag_id) values (1, 99)'] },
  favorites_pkey: { bad: ['insert into favorites (user_id, article_id) values (1, 1)'] },
  favorites_user_id_foreign: { bad: ['insert into favorites (user_id, article_id) values (99, 1)'] },
  favorites_article_id_foreign: { bad: ['insert into favorites (user_id, article_id) values (1, 99)'] },
  comments_pkey: { bad: [`insert into comments (id, body, article_id) values (1, 'c', 1)`] },
  comments_body_length: {
    bad: [
      `insert into comments (body, article_id) values ('', 1)`,
      `insert into comments (body, article_id) values (${long(10_001)}, 1)`,
    ],
    good: [`insert into comments (body, article_id) values (${long(10_000)}, 1)`],
  },
  comments_article_id_foreign: { bad: [`insert into comments (body, article_id) values ('c', 99)`] },
  comments_author_id_foreign: { bad: [`insert into comments (body, article_id, author_id) values ('c', 1, 99)`] },
};

test('every constraint of the database has a row in the table', async () => {
  const constraints = await execute(`
    select conname as name from pg_constraint
    where connamespace = 'public'::regnamespace and contype not in ('n', 't') and conrelid::regclass::text not like 'mikro_orm%'`);
  expect(constraints.map(({ name }) => name).toSorted()).toEqual(Object.keys(CONSTRAINTS).toSorted());
});

test('each constraint refuses rows that violate it, and no others', async () => {
  for (const [constraint, { bad, good = [] }] of Object.entries(CONSTRAINTS)) {
    for (const sql of bad) await expect(execute(sql), `${constraint}: ${sql}`).rejects.toMatchObject({ constraint });
    for (const sql of good) {
      const em = orm.em.fork();
      await em.begin();
      await em.execute(sql);
      await em.rollback();
    }
  }
});

test('names that differ by case, width, ß or characters that are not drawn violate the unique constraint', async () => {
  for (const [one, other] of [
    ['Straße', 'STRASSE'],
    ['ＡＢＣ', 'abc'],
    ['ÅNGSTRÖM', 'a\u030angstro\u0308m'],
    ['Σίσυφος', 'ΣΊΣΥΦΟΣ'],
    ['ﬁn', 'FIN'],
    ['❤', '❤\ufe0f'],
    ['علی\u200cرضا', 'علیرضا'],
    ['ann b', 'ann  b'],
  ] as const) {
    const named = (name: string, n: number) =>
      user({
        username: `'${name}'`,
        username_key: `'${nameKey(name)}'`,
        email: `'${n}@x'`,
        email_key: `'${one}${n}@x'`,
      });
    await execute(named(one, 1));
    await expect(execute(named(other, 2)), `${one} and ${other}`).rejects.toMatchObject({
      constraint: 'users_username_unique',
    });
  }
});

test('required columns are not nullable', async () => {
  const nullable = await execute(`
    select table_name || '.' || column_name as name from information_schema.columns
    where table_schema = 'public' and is_nullable = 'YES' and table_name not like 'mikro_orm%' order by 1`);
  expect(nullable.map(({ name }) => name)).toEqual([
    'article_tags.published_at',
    'articles.body_html',
    'articles.cover_image',
    'articles.opening_text',
    'articles.published_at',
    'articles.reading_time_minutes',
    'articles.rendered_at',
    'comments.author_id',
    'comments.body_html',
    'comments.rendered_at',
    'idempotency_keys.created_id',
    'sessions.previous_use_hash',
    'sessions.refreshed_at',
    'users.bio',
    'users.image',
  ]);
});

test('timestamps have millisecond precision and a time zone', async () => {
  const columns = await execute(`
    select data_type as type, datetime_precision as precision from information_schema.columns
    where table_schema = 'public' and column_name like '%\\_at' and table_name not like 'mikro_orm%'`);
  expect(columns.length).toBeGreaterThan(8);
  for (const column of columns) expect(column).toEqual({ type: 'timestamp with time zone', precision: 3 });
});

test('deleting an account deletes its articles, favourites, follows and sessions, and keeps its comments without an author', async () => {
  await execute('delete from users where id = 1');
  expect(await execute('select id from articles where author_id = 1')).toEqual([]);
  expect(await execute('select 1 from favorites where user_id = 1')).toEqual([]);
  expect(await execute('select 1 from follows where 1 in (follower_id, followed_id)')).toEqual([]);
  expect(await execute('select 1 from sessions where user_id = 1')).toEqual([]);
  expect(await execute('select id, author_id from comments where id in (1, 6, 11) order by id')).toEqual([
    { id: 1, author_id: null },
    // Comment 6 was on the account's own article.
    { id: 11, author_id: null },
  ]);
});

test('deleting an article deletes its comments, favourites and tag links', async () => {
  await execute('delete from articles where id = 1');
  for (const table of ['comments', 'favorites', 'article_tags']) {
    expect(await execute(`select 1 from ${table} where article_id = 1`), table).toEqual([]);
  }
  expect(await execute(`select name from tags where name in ('red', 'rose')`)).toHaveLength(2);
});

test('the counters are correct after every cascade', async () => {
  expect(await execute(WRONG_COUNTERS)).toEqual([]);
  for (const sql of [
    'delete from users where id = 3',
    'delete from articles where id = 1',
    'delete from tags where id = 2',
    'delete from comments where id % 2 = 0',
    'delete from favorites where article_id = 3',
    'delete from article_tags where position % 2 = 0',
    'delete from users',
  ]) {
    await execute(sql);
    expect(await execute(WRONG_COUNTERS), sql).toEqual([]);
  }
});

test('the counters are correct after statements that write many rows', async () => {
  await execute('insert into favorites (user_id, article_id) select 4, id from articles');
  await execute(`insert into comments (body, article_id) select 'c', id from articles, generate_series(1, 5)`);
  await execute('insert into article_tags (article_id, tag_id) select id, 4 from articles');
  await execute('insert into favorites (user_id, article_id) select 4, id from articles on conflict do nothing');
  expect(await execute(WRONG_COUNTERS)).toEqual([]);
});
