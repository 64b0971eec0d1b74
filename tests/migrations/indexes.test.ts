import { CompiledQuery } from 'kysely';
import { expect, test } from 'vitest';
import { documentFor, execute, type List, lists } from '../reading/lists.ts';
import { blog, orm } from '../support/blog.ts';
import { aUser, type Person } from '../support/people.ts';
import { statementsDuring } from '../support/statements.ts';

/**
 * The database explains the very statements of the lists, over some thousand rows. Sorting is made unattractive, since few
 * enough rows are always sorted more quickly; a plan that sorts all the same has no index in the order of the list. Ties
 * may be sorted.
 */
const indexes: Record<string, string> = {
  'Query.articles': 'articles_by_published_at',
  'Query.articles COMMENTS_COUNT': 'articles_by_comments_count',
  'Query.articles FAVORITES_COUNT': 'articles_by_favorites_count',
  'Query.articles PUBLISHED_AT': 'articles_by_published_at',
  'Query.articles TITLE': 'articles_by_title',
  'Query.articles UPDATED_AT': 'articles_by_updated_at',
  'User.articles': 'articles_by_author',
  'User.favorites': 'favorites_by_user',
  'User.followers': 'follows_by_followed',
  'User.following': 'follows_by_follower',
  'Viewer.feed': 'articles_by_published_at',
  'Article.comments': 'comments_by_article',
  'Article.comments CREATED_AT': 'comments_by_article',
  'Tag.articles': 'articles_by_published_at',
  'Query.tags': 'tags_by_articles_count',
  'Query.tags ARTICLES_COUNT': 'tags_by_articles_count',
  'Query.tags NAME': 'tags_name_unique',
};

/** Other orders of lists that belong to something are those of all articles, filtered. */
const ordered: readonly List[] = lists.filter(
  ({ field, name }) =>
    name === field || (/ (ASC|DESC)$/.test(name) && !['User.articles', 'Tag.articles'].includes(field)),
);

test('the rows of every list come from an index in its order', async () => {
  const bob = await aLargeBlog();
  for (const list of ordered) {
    for (const paging of ['first: 20', 'last: 20']) {
      const document = documentFor(list, paging).replace('totalCount', '');
      const statements = await statementsDuring(() => blog(document, { as: bob }));
      const plan = nodesOf(await planOf(statements.at(-1) as CompiledQuery));
      const page = plan.filter((node) => node['Node Type'] === 'Limit').flatMap(nodesOf);
      expect(
        page.filter((node) => node['Node Type'] === 'Sort'),
        `${list.name}(${paging})`,
      ).toEqual([]);
      const index = indexes[list.name.replace(/ (ASC|DESC)$/, '')];
      expect(
        page.map((node) => node['Index Name']),
        `${list.name}(${paging})`,
      ).toContain(index);
    }
  }
});

interface Plan {
  'Node Type': string;
  'Index Name'?: string;
  Plans?: Plan[];
}

async function planOf({ sql, parameters }: CompiledQuery): Promise<Plan> {
  const em = orm.em.fork();
  await em.begin();
  await em.execute('set local enable_sort = off');
  const { rows } = await em
    .getKysely()
    .executeQuery(CompiledQuery.raw(`explain (format json) ${sql}`, [...parameters]));
  await em.rollback();
  const [row] = rows as { 'QUERY PLAN': [{ Plan: Plan }] }[];
  return row?.['QUERY PLAN'][0].Plan as Plan;
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** Bob follows and favours much of what ann and five hundred others write. */
async function aLargeBlog(): Promise<Person> {
  await aUser('ann');
  const bob = await aUser('bob');
  await execute(`
    insert into users (username, username_key, email, email_key, password_hash)
      select 'u' || n, 'u' || n, n || '@e', n || '@e', '-' from generate_series(1, 500) n;
    insert into follows (follower_id, followed_id, created_at)
      select 1, id, now() - id * interval '1 s' from users where id > 1
      union all select id, 1, now() - id * interval '1 s' from users where id > 1
      union all select 2, id, now() - id * interval '1 s' from users where id > 2 and id < 250;
    insert into articles (slug, title, description, body, author_id, published_at, updated_at, favorites_count, comments_count)
      select 'article-' || n, md5(n::text), 'd', repeat('b', 500), case when n % 5 = 0 then 1 else 1 + n % 500 end,
        now() - n * interval '1 min', now() - n % 977 * interval '1 min', n % 97, n % 89
      from generate_series(1, 5000) n;
    insert into tags (name, articles_count) select md5(n::text), n % 50 + 1 from generate_series(1, 2000) n;
    insert into tags (name) values ('red');
    alter table article_tags disable trigger all;
    insert into article_tags (article_id, tag_id)
      select articles.id, tags.id from articles, tags where name = 'red' and articles.id % 2 = 0;
    alter table article_tags enable trigger all;
    alter table favorites disable trigger all;
    insert into favorites (user_id, article_id, created_at)
      select 2, id, now() - id * interval '1 s' from articles where id % 2 = 0;
    alter table favorites enable trigger all;
    alter table comments disable trigger all;
    insert into comments (body, article_id, author_id, created_at)
      select 'c', case when n % 2 = 0 then 1 else n end, 2, now() - n * interval '1 s' from generate_series(1, 4000) n;
    alter table comments enable trigger all;
    analyze;
  `);
  return bob;
}
