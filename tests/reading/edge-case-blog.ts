import { aUser, type Person } from '../support/test-data.ts';
import { execute, lists, readPage } from './lists.ts';
import { theWorld, type World } from './reference.ts';
import { aSmallBlog } from './small-blog.ts';

/**
 * The small blog with texts that are easily corrupted, a user without any relations, drafts, and cursors that the server has
 * returned, some of them of deleted rows.
 */
export async function anEdgeCaseBlog(): Promise<{ people: Person[]; world: World }> {
  const people = [...(await aSmallBlog()), await aUser('Straße')];
  await execute(`
    insert into articles (slug, title, description, body, author_id, published_at)
      values ('article-odd', E'title d "\\\\\\n\\u0001\\u2028é😀</script>', E'\\t\\'$1', '{"a": [null]}', 1, '2026-01-02Z');
    insert into tags (name, name_key)
      values ('Ärger', 'ärger'), ('r%_', 'r%_'), ('tag \\ "quoted"', 'tag \\ "quoted"');
    insert into article_tags (article_id, tag_id)
      select articles.id, tags.id from articles, tags where slug = 'article-odd' and tags.id > 4
  `);
  await execute(`
    insert into articles (slug, title, description, body, author_id, status, published_at)
      select 'draft-' || n, 'draft ' || n, 'd', 'b', n % 2 + 1, 'DRAFT', case when n > 3 then timestamptz '2026-01-02Z' end
      from generate_series(1, 5) n;
    insert into tags (name) values ('secret');
    insert into article_tags (article_id, tag_id) select articles.id, tags.id from articles, tags
      where status = 'DRAFT' and tags.name in ('red', 'secret');
    insert into favorites (user_id, article_id) select author_id, id from articles where status = 'DRAFT';
    insert into favorites (user_id, article_id) select 3, id from articles where slug = 'draft-5';
    insert into comments (body, article_id, author_id) select 'on a draft', id, 3 from articles where slug = 'draft-5';
  `);
  const cursors = await cursorsOf(people[0] as Person);
  await execute(`
    delete from favorites where user_id = 1 and article_id = 5;
    delete from follows where follower_id = 2 and followed_id = 4;
    delete from comments where id = 12;
    delete from articles where slug = 'article-8'
  `);
  return { people, world: { ...(await theWorld()), cursors } };
}

async function cursorsOf(reader: Person): Promise<Map<string, string[]>> {
  const cursors = new Map<string, string[]>();
  for (const list of lists) {
    const { edges } = await readPage(list, reader, 'first: 100');
    for (const { cursor } of edges) {
      const [order] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string];
      cursors.set(order, [...new Set([...(cursors.get(order) ?? []), cursor])]);
    }
  }
  return cursors;
}
