import { aUser, type Person } from '../support/test-data.ts';
import { execute } from './lists.ts';

/** A small blog with at least one row in every table, and with ties. Returns its users. */
export async function aSmallBlog(): Promise<Person[]> {
  const people = [await aUser('ann'), await aUser('bob'), await aUser('cyd'), await aUser('dan')];
  await execute(`
    update users set bio = 'I write.', image = 'https://example.com/' || id || '.png' where id < 3;
    insert into follows (follower_id, followed_id, created_at)
      select one, other, timestamptz '2026-01-01Z' + (one * other) % 2 * interval '1 ms'
      from (values (1, 2), (1, 3), (2, 1), (2, 4), (3, 1), (4, 1)) pair (one, other);
    insert into tags (name, name_key) select name, name from unnest(array['red', 'rose', 'teal', 'unused']) as name;
    insert into articles (slug, title, description, body, author_id, created_at, published_at, updated_at)
      select 'article-' || n, 'title ' || chr(97 + n % 3), 'about ' || n, 'body ' || n, n % 3 + 1,
        timestamptz '2026-01-01Z', timestamptz '2026-01-02Z' + n % 3 * interval '1 ms',
        timestamptz '2026-01-03Z' + n % 2 * interval '1 s'
      from generate_series(1, 9) n;
    insert into article_tags (article_id, tag_id) select article, tag
      from (values (1, 2), (1, 1), (2, 1), (3, 3), (3, 2), (3, 1), (4, 2), (7, 3)) pair (article, tag);
    insert into favorites (user_id, article_id, created_at)
      select fan, article, timestamptz '2026-01-04Z' + article % 2 * interval '1 ms'
      from (values (1, 1), (1, 2), (1, 5), (2, 1), (2, 3), (3, 1), (3, 9)) pair (fan, article);
    insert into comments (body, article_id, author_id, created_at)
      select 'comment ' || n, n % 4 + 1, nullif(n % 5, 0), timestamptz '2026-01-05Z' + n % 3 * interval '1 ms'
      from generate_series(1, 12) n;
  `);
  return people;
}
