import { afterEach, expect, test } from 'vitest';
import { emptyDatabase } from '../support/empty-database.ts';

/** What happens to articles of before when drafts and the history of slugs are added, and to drafts when they are removed. */

const BEFORE = 'Migration20261130101900_normalize_names';
const ADD = 'Migration20261130134027_add_drafts_versions_and_slug_history';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const remove of opened.splice(0)) await remove();
});

async function databaseWith(articles: number) {
  const { orm, remove } = await emptyDatabase();
  opened.push(remove);
  const execute = (sql: string): Promise<any[]> => orm.em.fork().execute(sql);
  await orm.migrator.up({ to: BEFORE });
  await execute(
    `insert into users (username, username_key, email, email_key, password_hash) values ('a', 'a', 'a@b', 'a@b', '-')`,
  );
  await execute(`insert into articles (slug, title, description, body, author_id)
    select 's' || n, 't', 'd', 'b', 1 from generate_series(1, ${articles}) n`);
  return { migrator: orm.migrator, execute };
}

test('articles of before are published, in their first version, and found by their slugs', async () => {
  const { migrator, execute } = await databaseWith(12_000);
  await migrator.up();
  expect(await execute('select distinct status, version from articles')).toEqual([{ status: 'PUBLISHED', version: 1 }]);
  expect(await execute('select count(*)::int from article_slugs')).toEqual([{ count: 12_000 }]);
  expect(
    await execute('select from articles left join article_slugs using (slug) where article_id is distinct from id'),
  ).toEqual([]);
});

test('an article that gets another slug before the history is filled keeps both', async () => {
  const { migrator, execute } = await databaseWith(2);
  await migrator.up({ to: ADD });
  await execute(`update articles set slug = 'renamed' where id = 1`);
  await migrator.up();
  expect(await execute('select slug, article_id from article_slugs order by slug')).toEqual([
    { slug: 'renamed', article_id: 1 },
    { slug: 's1', article_id: 1 },
    { slug: 's2', article_id: 2 },
  ]);
});

test('the way back deletes drafts, which the older release would show to everyone', async () => {
  const { migrator, execute } = await databaseWith(2);
  await migrator.up();
  await execute(`update articles set status = 'DRAFT', published_at = null where id = 1`);
  await migrator.down({ to: BEFORE });
  expect(await execute('select id from articles')).toEqual([{ id: 2 }]);
});
