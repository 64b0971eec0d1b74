import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ArticlePageWithCommentsDocument,
  FeedDocument,
  HomePageDocument,
  LoginDocument,
} from '../../schema/generated/graphql.ts';
import { readPostgresUrl } from '../../src/environment.ts';
import { DEMO_EMAIL, PASSWORD } from '../../src/seeding/credentials.ts';
import { addDemoBlog } from '../../src/seeding/demo/demo-blog.ts';
import { addLargeBlog } from '../../src/seeding/large/large-blog.ts';
import { sizeFor } from '../../src/seeding/large/size.ts';
import { emailOfUser } from '../../src/seeding/large/users.ts';
import { readOptions } from '../../src/seeding/options.ts';
import { prepareDatabase } from '../../src/seeding/prepare-database.ts';
import { Progress } from '../../src/seeding/progress.ts';
import { ExitCode } from '../../src/seeding/seed-error.ts';
import { anArticle, aUser } from '../support/test-data.ts';
import { address, executeGraphql, orm } from '../support/test-server.ts';

describe('the demo blog', () => {
  test('lets johndoe sign in and read a feed', async () => {
    await addDemoBlog(orm.em.fork());
    const token = await tokenOf(DEMO_EMAIL);

    const { data } = await executeGraphql(FeedDocument, { as: { token }, first: 20 });
    expect(data.viewer?.feed.edges.length).toBe(20);
    expect(await counts()).toMatchObject({ users: 12, articles: 61 });
    expect(await query(`select 1 from articles where status = 'DRAFT' and published_at is null`)).toHaveLength(1);
    expect(await query('select 1 from articles where id not in (select article_id from article_tags)')).toEqual([]);
    expect(await query('select 1 from tags where articles_count = 0')).toEqual([]);
    expect(await integrityErrors()).toEqual(NO_ERRORS);
    expect(await query('select 1 from users where created_at > now() or image is null')).toEqual([]);
    expect(await query('select 1 from comments where created_at > now()')).toEqual([]);
  });

  test('is a blog to a reader: articles with tags, pictures, HTML and comments', async () => {
    await addDemoBlog(orm.em.fork(), address);
    const { data: home } = await executeGraphql(HomePageDocument, { first: 60, tags: 20 });
    expect(home.tags.nodes).toHaveLength(20);
    for (const { name, articlesCount } of home.tags.nodes) expect([name, articlesCount > 0]).toEqual([name, true]);

    const articles = home.articles.edges.map(({ node }) => node);
    expect(articles).toHaveLength(60);
    for (const { slug, title, description, tagList } of articles) {
      expect([title, description, tagList], slug).not.toContainEqual(expect.toSatisfy(({ length }) => length === 0));
    }
    for (const image of new Set(articles.map(({ author }) => author.image ?? ''))) {
      const { status, headers } = await fetch(image);
      expect([status, headers.get('content-type')], image).toEqual([200, 'image/svg+xml; charset=utf-8']);
    }

    const { data } = await executeGraphql(ArticlePageWithCommentsDocument, { slug: 'hello-conduit' });
    expect(data.article?.bodyHtml).toMatch(/^<p>.*<h2/s);
    expect(data.article?.comments.nodes.length).toBeGreaterThan(0);
    for (const { author, bodyHtml } of data.article?.comments.nodes ?? []) {
      expect([author?.username, bodyHtml]).toEqual([expect.any(String), expect.stringMatching(/^<p>/)]);
    }
  });

  test('is unchanged by a second run', async () => {
    await addDemoBlog(orm.em.fork());
    const before = await allRows();
    const added = await addDemoBlog(orm.em.fork());

    expect(added).toEqual({ users: 0, follows: 0, articles: 0, favorites: 0, comments: 0 });
    expect(await allRows()).toEqual(before);
  });

  test('is completed by a second run, which keeps edits', async () => {
    await addDemoBlog(orm.em.fork());
    await query(`update users set bio = 'Edited.' where username = 'johndoe'`);
    await query(`update articles set slug = 'renamed', title = 'Renamed' where slug = 'hello-conduit'`);
    await query(`delete from articles where slug = 'null-is-not-a-value'`);
    const added = await addDemoBlog(orm.em.fork());

    expect(added).toMatchObject({ users: 0, articles: 1 });
    expect(await counts()).toMatchObject({ users: 12, articles: 61 });
    expect(await query(`select bio from users where username = 'johndoe'`)).toEqual([{ bio: 'Edited.' }]);
    expect(await integrityErrors()).toEqual(NO_ERRORS);
  });

  test('is added beside existing rows', async () => {
    const article = await anArticle({ title: 'Mine', tagList: ['web'] });
    const [before] = await query('select * from articles where id = ?', [article.id]);
    await addDemoBlog(orm.em.fork());

    expect(await query('select * from articles where id = ?', [article.id])).toEqual([before]);
    expect(await counts()).toMatchObject({ users: 13, articles: 62 });
  });

  test('adds nothing when one of its user names is taken', async () => {
    await aUser('JohnDoe');
    await expect(addDemoBlog(orm.em.fork())).rejects.toMatchObject({
      exitCode: ExitCode.NAME_TAKEN,
      message: expect.stringContaining('"johndoe"'),
    });
    expect(await counts()).toMatchObject({ users: 1, articles: 0, tags: 0 });
  });

  test('adds nothing when one of its slugs is taken', async () => {
    await anArticle({ title: 'Hello, Conduit' });
    await expect(addDemoBlog(orm.em.fork())).rejects.toMatchObject({
      exitCode: ExitCode.NAME_TAKEN,
      message: expect.stringContaining('"hello-conduit"'),
    });
    expect(await counts()).toMatchObject({ users: 1, articles: 1, tags: 0 });
  });
});

describe('a large blog', () => {
  const size = sizeFor(2000);

  test('has the requested size, correct counters and no orphans', async () => {
    const added = await addLargeBlog(orm.em.fork(), size, run());

    expect(await counts()).toEqual({ ...added, article_slugs: 2000, article_tags: 6000 });
    expect(added).toMatchObject({ articles: 2000, users: 100, tags: 200 });
    expect(await integrityErrors()).toEqual(NO_ERRORS);
    await tokenOf(emailOfUser(1, size));
    await tokenOf(emailOfUser(100, size));
  });

  test('enables the count triggers again', async () => {
    await addLargeBlog(orm.em.fork(), sizeFor(20), run());
    await query('insert into comments (body, article_id) select ?, id from articles', ['Said afterwards.']);
    await query('delete from favorites');
    expect(await integrityErrors()).toEqual(NO_ERRORS);
  });

  test('is unchanged by a second run', async () => {
    await addLargeBlog(orm.em.fork(), size, run());
    const before = await allRows();
    const added = await addLargeBlog(orm.em.fork(), size, run());

    expect(Object.values(added).every((rows) => rows === 0)).toBe(true);
    expect(await allRows()).toEqual(before);
  });

  test('is completed by the next run after an interruption, to the same blog', async () => {
    const large = sizeFor(6000, { users: 50 });
    await addLargeBlog(orm.em.fork(), large, run());
    const whole = await byName();
    await query('truncate users, tags restart identity cascade');

    const controller = new AbortController();
    const progress = new Progress({
      write: (line) => Boolean(String(line).startsWith('articles') && controller.abort()),
    });
    await addLargeBlog(orm.em.fork(), large, { progress, signal: controller.signal });
    expect(await counts()).toMatchObject({ users: 50, articles: 2500 });
    expect(await integrityErrors()).toEqual(NO_ERRORS);

    await addLargeBlog(orm.em.fork(), large, run());
    expect(await byName()).toEqual(whole);
  });

  test('can be added beside that of another seed', async () => {
    await addLargeBlog(orm.em.fork(), sizeFor(20), run());
    await addLargeBlog(orm.em.fork(), sizeFor(20, { seed: 2 }), run());
    expect(await counts()).toMatchObject({ users: 20, articles: 40 });
    expect(await integrityErrors()).toEqual(NO_ERRORS);
  });

  test('can have the smallest size', async () => {
    await addLargeBlog(orm.em.fork(), sizeFor(1, { users: 2, tags: 3 }), run());
    expect(await counts()).toMatchObject({ users: 2, articles: 1, tags: 3, article_tags: 3 });
  });

  test('adds no article when one of its user names is taken', async () => {
    await addLargeBlog(orm.em.fork(), sizeFor(20), run());
    const [first] = await query<{ username: string }>(`select username from users where email like 'user1@%'`);
    await query('truncate users, tags restart identity cascade');
    await aUser(first?.username);

    await expect(addLargeBlog(orm.em.fork(), sizeFor(20), run())).rejects.toMatchObject({
      exitCode: ExitCode.NAME_TAKEN,
      message: expect.stringContaining(String(first?.username)),
    });
    expect(await counts()).toMatchObject({ articles: 0 });
  });
});

describe('the command', () => {
  test.each([
    ['--articles', '--articles has no value'],
    ['--articles=', '--articles is ""'],
    ['--articles many', '--articles is "many"'],
    ['--articles -5', '--articles is "-5"'],
    ['--articles 0', '--articles is "0"'],
    ['--articles 20 --users 1', '--users is "1"'],
    ['--articles 20 --tags 2', '--tags is "2"'],
    ['--articles 20 --seed 1.5', '--seed is "1.5"'],
    ['--users 5', 'add --articles'],
    ['--artikel 5', '--artikel is not an option'],
    ['--json=yes', '--json takes no value'],
    ['1000', 'npm run seed -- --articles 1000'],
  ])('rejects %s', (commandLine, message) => {
    expect(() => readOptions(commandLine.split(' '))).toThrow(
      expect.objectContaining({ exitCode: ExitCode.BAD_OPTIONS, message: expect.stringContaining(message) }),
    );
  });

  test('reports all invalid options at once, and exits with 2', async () => {
    const { code, stdout, stderr } = await seed(['--articles', 'x', '--users', 'y']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/--articles is "x".*\n.*--users is "y"/);
  });

  test('derives the size of a blog from its articles', () => {
    expect(readOptions(['--articles', '100000']).size).toEqual({ articles: 100_000, users: 5000, tags: 200, seed: 1 });
    expect(readOptions(['--articles', '10', '--users', '3', '--seed', '4']).size).toMatchObject({ users: 3, seed: 4 });
  });

  test('migrates a new embedded database, and prints its result as JSON', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'conduit-seed-'));
    try {
      const { code, stdout, stderr } = await seed(['--json'], { DATA_FOLDER: folder });
      expect(stderr).toContain('The embedded database is new: applied Migration');
      expect(JSON.parse(stdout)).toMatchObject({ blog: 'demo', added: { users: 12 }, signIn: { email: DEMO_EMAIL } });
      expect(code).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('rejects a database with pending migrations, and production', async () => {
    const database = {
      production: false,
      postgres: readPostgresUrl('postgresql://localhost/some'),
      dataFolder: '',
      embeddedFsync: true,
    };
    const silent = () => {};
    await orm.migrator.down();
    try {
      await expect(prepareDatabase(orm, database, silent)).rejects.toMatchObject({
        exitCode: ExitCode.DATABASE_NOT_READY,
        message: expect.stringContaining('migration:up'),
      });
    } finally {
      await orm.migrator.up();
    }
    await expect(prepareDatabase(orm, database, silent)).resolves.toBeUndefined();
    await expect(prepareDatabase(orm, { ...database, production: true }, silent)).rejects.toMatchObject({
      exitCode: ExitCode.DATABASE_NOT_READY,
    });
  });
});

const run = () => ({ progress: new Progress({ write: () => true }), signal: new AbortController().signal });

const seed = (options: string[], variables: NodeJS.ProcessEnv = {}) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const args = ['--import', '@oxc-node/core/register', 'src/seeding/seed.ts', ...options];
    const env = { ...process.env, NODE_ENV: 'test', DATABASE_URL: '', DB_HOST: '', ...variables };
    const child = execFile(process.execPath, args, { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });

async function tokenOf(email: string): Promise<string> {
  const response = await executeGraphql(LoginDocument, { input: { email, password: PASSWORD } });
  expect(response).toSucceed();
  return response.data.login?.token as string;
}

const query = <T>(sql: string, parameters: unknown[] = []): Promise<T[]> => orm.em.fork().execute(sql, parameters);

const TABLES = ['users', 'follows', 'tags', 'articles', 'article_slugs', 'article_tags', 'favorites', 'comments'];

async function counts(): Promise<Record<string, number>> {
  const columns = TABLES.map((table) => `(select count(*)::int from ${table}) as ${table}`);
  const [row] = await query<Record<string, number>>(`select ${columns.join(', ')}`);
  return row ?? {};
}

const allRows = () => Promise.all(TABLES.map((table) => query(`select * from ${table} order by 1, 2`)));

/** The blog without its ids, which differ after two runs. */
const byName = () =>
  query(`
    select slug, body, username, published_at, favorites_count, comments_count,
      (select array_agg(name order by position) from article_tags join tags on tags.id = tag_id where article_id = a.id) as tags,
      (select md5(string_agg(fan.username || f.created_at, ' ' order by fan.username))
        from favorites f join users fan on fan.id = f.user_id where f.article_id = a.id) as fans,
      (select md5(string_agg(c.body || c.created_at, ' ' order by c.id)) from comments c where c.article_id = a.id) as said
    from articles a join users on users.id = author_id order by slug`);

const integrityErrors = async () => ({
  counters: await query(`
    select slug from articles a
    where favorites_count <> (select count(*) from favorites where article_id = a.id)
      or comments_count <> (select count(*) from comments where article_id = a.id)
    union all
    select name from tags t where articles_count <> (select count(*)
      from article_tags join articles on articles.id = article_id where tag_id = t.id and status = 'PUBLISHED')`),
  orphans: await query(`
    select 'comment' from comments where article_id not in (select id from articles)
    union all select 'favorite' from favorites where article_id not in (select id from articles) or user_id not in (select id from users)
    union all select 'tag' from article_tags where article_id not in (select id from articles) or tag_id not in (select id from tags)
    union all select 'article' from articles where author_id not in (select id from users)`),
  triggers: await query(`select tgname from pg_trigger where not tgisinternal and tgenabled <> 'O'`),
});

const NO_ERRORS = { counters: [], orphans: [], triggers: [] };
