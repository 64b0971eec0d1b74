import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import pg from 'pg';

/**
 * The floor: the best this machine can do. `node:http`, `pg`, and for each workload one handwritten prepared statement that
 * returns the response as JSON. It validates nothing, and trusts the header that names the viewer.
 */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
pg.types.setTypeParser(pg.types.builtins.JSON, (json) => json);

const server = createServer(async (request, response) => {
  const work = request.url.slice(1);
  if (!(work in STATEMENTS)) return response.writeHead(404).end('{}');
  const viewer = Number(request.headers['x-viewer']);
  const body = JSON.parse(await text(request));
  try {
    const { rows } = await pool.query({
      name: work,
      text: STATEMENTS[work],
      values: VALUES[work]({ viewer, body }),
    });
    response.setHeader('content-type', 'application/json').end(rows[0].answer);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
});
server.listen(Number(process.env.PORT), '127.0.0.1');

const VALUES = {
  feed: ({ viewer }) => [viewer],
  article: ({ body }) => [body.variables.slug],
  profile: ({ body }) => [body.variables.username],
  home: () => [],
  createArticle: ({ viewer, body }) => [viewer, body.slug, body.title, body.description, body.body, body.tagList],
  favoriteArticle: ({ viewer, body }) => [viewer, body.slug],
  addComment: ({ viewer, body }) => [viewer, body.slug, body.body],
};

const instant = (column) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const TAG_LIST = `(
  select coalesce(json_agg(tags.name order by article_tags.position), '[]')
  from article_tags join tags on tags.id = tag_id where article_id = a.id
)`;

const PREVIEW = `json_build_object(
  'slug', a.slug, 'title', a.title, 'description', a.description, 'tagList', ${TAG_LIST},
  'createdAt', ${instant('a.created_at')}, 'favoritesCount', a.favorites_count,
  'author', json_build_object('username', u.username, 'image', u.image)
)`;

const STATEMENTS = {
  feed: `
    select json_build_object('articles', coalesce(json_agg(json_build_object(
      'slug', a.slug, 'title', a.title, 'description', a.description, 'tagList', ${TAG_LIST},
      'createdAt', ${instant('a.created_at')}, 'updatedAt', ${instant('a.updated_at')},
      'favoritesCount', a.favorites_count,
      'viewerHasFavorited', exists(select from favorites where user_id = $1 and article_id = a.id),
      'author', json_build_object('username', u.username, 'bio', u.bio, 'image', u.image, 'viewerIsFollowing', true)
    ) order by a.published_at desc, a.id desc), '[]')) as answer
    from (
      select articles.* from follows cross join lateral (
        select * from articles where author_id = followed_id and status = 'PUBLISHED' order by published_at desc, id desc limit 20
      ) as articles
      where follower_id = $1 order by published_at desc, id desc limit 20
    ) as a join users u on u.id = a.author_id`,
  article: `
    select json_build_object(
      'slug', a.slug, 'title', a.title, 'description', a.description, 'body', a.body, 'tagList', ${TAG_LIST},
      'createdAt', ${instant('a.created_at')}, 'updatedAt', ${instant('a.updated_at')},
      'favoritesCount', a.favorites_count,
      'author', json_build_object('username', u.username, 'bio', u.bio, 'image', u.image),
      'comments', (
        select coalesce(json_agg(json_build_object(
          'body', c.body, 'createdAt', ${instant('c.created_at')},
          'author', json_build_object('username', w.username, 'image', w.image)
        ) order by c.created_at, c.id), '[]')
        from (select * from comments where article_id = a.id order by created_at, id limit 20) as c
        join users w on w.id = c.author_id
      )
    ) as answer
    from articles a join users u on u.id = a.author_id where a.slug = $1`,
  profile: `
    select json_build_object(
      'username', u.username, 'bio', u.bio, 'image', u.image,
      'followersCount', (select count(*) from follows where followed_id = u.id),
      'followingCount', (select count(*) from follows where follower_id = u.id),
      'articlesCount', (select count(*) from articles where author_id = u.id and status = 'PUBLISHED'),
      'articles', (
        select coalesce(json_agg(${PREVIEW} order by a.published_at desc, a.id desc), '[]')
        from (select * from articles where author_id = u.id and status = 'PUBLISHED' order by published_at desc, id desc limit 10) as a
      ),
      'favorites', (
        select coalesce(json_agg(p.preview order by p.created_at desc, p.article_id desc), '[]')
        from (
          select f.created_at, f.article_id, (
            select ${PREVIEW} from articles a join users u on u.id = a.author_id where a.id = f.article_id
          ) as preview
          from (
            select * from favorites where user_id = u.id order by created_at desc, article_id desc limit 10
          ) as f
        ) as p
      )
    ) as answer
    from users u where u.username_key = $1`,
  home: `
    select json_build_object(
      'articles', (
        select json_agg(${PREVIEW} order by a.published_at desc, a.id desc)
        from (select * from articles where status = 'PUBLISHED' order by published_at desc, id desc limit 10) as a
        join users u on u.id = a.author_id
      ),
      'tags', (
        select json_agg(json_build_object('name', name, 'articlesCount', articles_count)
          order by articles_count desc, id desc)
        from (select * from tags order by articles_count desc, id desc limit 20) as t
      )
    ) as answer`,
  createArticle: `
    with created as (
      insert into articles (author_id, slug, title, description, body) values ($1, $2, $3, $4, $5) returning *
    ),
    added as (
      insert into tags (name) select unnest($6::text[]) except select name from tags where name = any($6::text[])
      on conflict do nothing returning id, name
    ),
    tagged as (
      insert into article_tags (article_id, tag_id)
      select created.id, t.id from created, unnest($6::text[]) with ordinality as listed (name, place)
      join (select id, name from tags union all select id, name from added) as t using (name)
      order by place
    )
    select json_build_object(
      'slug', created.slug, 'title', title, 'description', description, 'body', body, 'tagList', $6::text[],
      'favoritesCount', favorites_count, 'author', json_build_object('username', username, 'image', image)
    ) as answer
    from created join users on users.id = author_id`,
  favoriteArticle: `
    with marked as (
      insert into favorites (user_id, article_id) select $1, id from articles where slug = $2
      on conflict do nothing returning article_id
    )
    select json_build_object(
      'slug', slug, 'viewerHasFavorited', true, 'favoritesCount', favorites_count + (select count(*) from marked)
    ) as answer
    from articles where slug = $2`,
  addComment: `
    with added as (
      insert into comments (author_id, article_id, body) select $1, id, $3 from articles where slug = $2 returning *
    )
    select json_build_object(
      'body', body, 'createdAt', ${instant('added.created_at')},
      'author', json_build_object('username', username, 'image', image)
    ) as answer
    from added join users on users.id = author_id`,
};
