import { afterEach, expect, test } from 'vitest';
import { emptyDatabase } from '../support/empty-database.ts';

/** What happens to the tags of articles of before when their links get the dates of the articles. */

const BEFORE = 'Migration20261130175252_list_articles_to_index';
const TRIGGERS = 'Migration20261130181945_create_trigger_copy_published_at';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const remove of opened.splice(0)) await remove();
});

test('every link has the date of its article, if that is published, also of articles that change before the fill', async () => {
  const { orm, remove } = await emptyDatabase();
  opened.push(remove);
  const execute = (sql: string): Promise<any[]> => orm.em.fork().execute(sql);
  await orm.migrator.up({ to: BEFORE });
  await execute(
    `insert into users (username, username_key, email, email_key, password_hash) values ('a', 'a', 'a@b', 'a@b', '-')`,
  );
  await execute(`insert into articles (slug, title, description, body, author_id, status, published_at)
    select 's' || n, 't', 'd', 'b', 1, case when n % 3 = 0 then 'DRAFT' else 'PUBLISHED' end, timestamptz '2026-01-01Z' + n * interval '1 s'
    from generate_series(1, 6000) n`);
  await execute(`insert into tags (name) values ('red'), ('blue')`);
  await execute('alter table article_tags disable trigger user'); // counting one tag thousands of times takes a minute
  await execute('insert into article_tags (article_id, tag_id) select articles.id, tags.id from articles, tags');
  await execute('alter table article_tags enable trigger user');
  await orm.migrator.up({ to: TRIGGERS });
  await execute(`update articles set status = 'DRAFT' where id = 1`);
  await execute(`update articles set status = 'PUBLISHED', published_at = '2026-02-01Z' where id = 3`);
  await orm.migrator.up();
  expect(
    await execute(`select count(*)::int as links, count(article_tags.published_at)::int as dated,
      count(*) filter (where article_tags.published_at is distinct from case status when 'PUBLISHED' then articles.published_at end)::int as wrong
      from article_tags join articles on articles.id = article_id`),
  ).toEqual([{ links: 12_000, dated: 8_000, wrong: 0 }]);
});
