import { afterEach, expect, test } from 'vitest';
import { nameKey } from '../../src/text/fold-case.ts';
import { emptyDatabase } from '../support/empty-database.ts';
import { namesOfEveryLetter } from '../support/every-letter.ts';

/** Rows of before are stored as the API stores new ones: tags and usernames in NFC, with keys that hold only what is drawn. */

const NORMALIZE = 'Migration20261130101900_normalize_names';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const remove of opened.splice(0)) await remove();
});

/** The rows that the statements insert before the migration, as it leaves them. */
async function migrated(...statements: string[]) {
  const { orm, remove } = await emptyDatabase();
  opened.push(remove);
  const execute = (sql: string): Promise<any[]> => orm.em.fork().execute(sql);
  await orm.migrator.up({ to: 'Migration20261130100906_add_name_key_to_tags' });
  await execute(user(1, 'ann'));
  for (const statement of statements) await execute(statement);
  await orm.migrator.up({ to: NORMALIZE });
  return execute;
}

/** As the release before inserted it: the key is NFKC and case-folded. */
function user(id: number, username: string): string {
  const key = username.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
  return `insert into users (id, username, username_key, email, email_key, password_hash)
    values (${id}, '${username}', '${key}', '${id}@e.com', '${id}@e.com', '-')`;
}
const articles = `insert into articles (id, slug, title, description, body, author_id)
  select n, 'a' || n, 't', 'd', 'b', 1 from generate_series(1, 3) n`;
const tags = (...names: string[]) =>
  `insert into tags (id, name) values ${names.map((name, index) => `(${index + 1}, '${name}')`).join()}`;

test('tags of one spelling become one, and articles keep it once and in order', async () => {
  const execute = await migrated(
    articles,
    tags('cafe\u0301', 'caf\u00e9', 'Café'.normalize('NFD'), 'red', 'e\u0323\u0302', 'e\u0302\u0323', 'unused\u0301'),
    `insert into article_tags (position, article_id, tag_id) values
      (1, 1, 4), (2, 1, 1), (3, 1, 2), (4, 1, 3), (5, 2, 1), (6, 2, 4), (7, 3, 6), (8, 3, 4), (9, 3, 5)`,
  );
  expect(await execute('select id, name, articles_count from tags order by id')).toEqual([
    { id: 2, name: 'caf\u00e9', articles_count: 2 },
    { id: 3, name: 'Caf\u00e9', articles_count: 1 },
    { id: 4, name: 'red', articles_count: 3 },
    { id: 5, name: 'e\u0323\u0302'.normalize('NFC'), articles_count: 1 },
    { id: 7, name: 'unused\u0301'.normalize('NFC'), articles_count: 0 },
  ]);
  const links = await execute('select article_id, tag_id from article_tags order by position');
  expect(links.map(({ article_id, tag_id }) => [article_id, tag_id])).toEqual([
    [1, 4],
    [1, 2],
    [1, 3],
    [2, 2],
    [2, 4],
    [3, 5],
    [3, 4],
  ]);
});

test('each tag gets the key that the API gives to new ones', async () => {
  const execute = await migrated(tags(...namesOfEveryLetter(), 'two  spaces', 'Straße', 'İstanbul', 'ΟΔΟΣ', '❤\ufe0f'));
  const rows = await execute('select name, name_key from tags');
  expect(rows.length).toBeGreaterThan(300);
  expect(rows.filter(({ name, name_key }) => name_key !== nameKey(name))).toEqual([]);
});

test('usernames become NFC and keep their account, its articles, favourites and follows', async () => {
  const execute = await migrated(
    user(2, 'zoe\u0308'),
    articles,
    'insert into follows (follower_id, followed_id) values (1, 2), (2, 1)',
    'insert into favorites (user_id, article_id) values (2, 1)',
  );
  expect(await execute('select id, username, username_key, email from users order by id')).toEqual([
    { id: 1, username: 'ann', username_key: 'ann', email: '1@e.com' },
    { id: 2, username: 'zo\u00eb', username_key: 'zo\u00eb', email: '2@e.com' },
  ]);
  expect(await execute('select * from follows')).toHaveLength(2);
  expect(await execute('select * from favorites')).toHaveLength(1);
});

test('of usernames that became equal, the one that is as it is drawn stays, and others get their id as a suffix', async () => {
  const long = 'x'.repeat(49);
  const execute = await migrated(
    user(2, 'Bob\u200b'),
    user(3, 'bob'),
    user(4, 'bob❤\ufe0f'),
    user(5, 'bob❤\ufe0f\u200d'),
    user(6, '\u3164'),
    user(7, 'bob-2'),
    user(8, `${long}\u00ad`),
    user(9, long),
    user(10, 'ὈδυσσεύΣ'),
  );
  const rows = await execute('select id, username, username_key from users where id > 1 order by id');
  expect(rows.map(({ username }) => username)).toEqual([
    'Bob\u200b--2',
    'bob',
    'bob❤\ufe0f',
    'bob❤\ufe0f\u200d-5',
    'user-6',
    'bob-2',
    `${'x'.repeat(48)}-8`,
    long,
    'ὈδυσσεύΣ',
  ]);
  for (const { username, username_key } of rows) expect(username_key).toBe(nameKey(username));
});

test('usernames that are too long in NFC are cut, and keep distinct names', async () => {
  const execute = await migrated(
    user(2, '\u0958'.repeat(50)),
    user(3, `${'\u0958'.repeat(49)}x`),
    user(4, '\u0915\u093c'.repeat(25)),
    user(5, '\u0958'.repeat(24)),
  );
  const rows = await execute('select id, username, username_key from users where id > 1 order by id');
  const pairs = '\u0915\u093c'.repeat(24);
  expect(rows.map(({ username }) => username).slice(0, 2)).toEqual([`${pairs}-2`, `${pairs}-3`]);
  expect(new Set(rows.map(({ username_key }) => username_key)).size).toBe(4);
  for (const { username, username_key } of rows) expect(username_key).toBe(nameKey(username));
});
