import { describe, expect, test } from 'vitest';
import { RecordArticleReadDocument } from '../../schema/generated/graphql.ts';
import { ReaderIds } from '../../src/articles/reads/reader-ids.ts';
import { deleteExpiredReads } from '../../src/articles/reads/write-reads.ts';
import { anArticle, aUser, type Person, reload } from '../support/test-data.ts';
import { executeGraphql, orm, post, readCounter } from '../support/test-server.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0';
const SAFARI = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/19.0 Safari/605.1.15';
const BOTS = [
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
  'Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0.0.0 Safari/537.36',
  'Baiduspider+(+http://www.baidu.com/search/spider.htm)',
  'Slackbot-LinkExpanding 1.0',
  'facebookexternalhit/1.1',
  'WhatsApp/2.23 LinkPreview',
  'UptimeRobot/2.0',
  'python-requests/2.32',
  'curl/8.4.0',
];
const APPS = [
  'okhttp/4.12.0',
  'Conduit/7 CFNetwork/1490.0.4 Darwin/23.2.0',
  'Mozilla/5.0 (Linux; Android 14; CUBOT P80) Chrome/140.0.0.0 Mobile Safari/537.36',
];

const QUERY = `mutation ($slug: String!) {
  recordArticleRead(input: { article: { slug: $slug } }) { article { readCount } errors { code } }
}`;

async function read({ slug }: { slug: string }, by: { as?: Person; userAgent?: string } = {}) {
  const { as, userAgent = FIREFOX } = by;
  const headers = { 'user-agent': userAgent, ...(as && { authorization: `Token ${as.token}` }) };
  const { body } = await post({ query: QUERY, variables: { slug } }, headers);
  expect(body).toMatchObject({ data: { recordArticleRead: { errors: [] } } });
}

async function readCountOf(article: Awaited<ReturnType<typeof anArticle>>): Promise<number> {
  await readCounter.flush();
  return (await reload(article)).readCount;
}

const execute = (sql: string): Promise<unknown[]> => orm.em.fork().execute(sql);

describe('a read', () => {
  test('is counted for each user, and for each client that is signed out', async () => {
    const [ann, bob] = [await aUser(), await aUser()];
    const article = await anArticle({ by: ann });
    for (const as of [ann, bob]) await read(article, { as });
    for (const userAgent of [FIREFOX, SAFARI, '']) await read(article, { userAgent });
    expect(await readCountOf(article)).toBe(5);
  });

  test('is counted once for the same user with any client, and once for the same client', async () => {
    const bob = await aUser();
    const article = await anArticle();
    for (const userAgent of [FIREFOX, SAFARI, FIREFOX]) await read(article, { as: bob, userAgent });
    await readCounter.flush();
    await read(article, { as: bob });
    expect(await readCountOf(article)).toBe(1);
    for (let time = 0; time < 3; time += 1) await read(article);
    expect(await readCountOf(article)).toBe(2);
  });

  test('is counted for each article', async () => {
    const articles = [await anArticle(), await anArticle()];
    for (const article of articles) await read(article);
    for (const article of articles) expect(await readCountOf(article)).toBe(1);
  });

  test('counts again 30 minutes after the one that was counted, not after the last', async () => {
    const article = await anArticle();
    await read(article);
    await readCounter.flush();
    await execute(`update article_reads set counted_at = counted_at - interval '29 minutes'`);
    await read(article);
    expect(await readCountOf(article)).toBe(1);
    await execute(`update article_reads set counted_at = counted_at - interval '1 minute'`);
    await read(article);
    expect(await readCountOf(article)).toBe(2);
    await read(article);
    expect(await readCountOf(article)).toBe(2);
  });

  test('is no change of the article', async () => {
    const article = await anArticle();
    const before = await reload(article);
    await read(article);
    expect(await readCountOf(article)).toBe(1);
    const { version, updatedAt, renderedAt, rendererVersion } = await reload(article);
    expect({ version, updatedAt, renderedAt, rendererVersion }).toEqual({
      version: before.version,
      updatedAt: before.updatedAt,
      renderedAt: before.renderedAt,
      rendererVersion: before.rendererVersion,
    });
  });

  test('by a client that says it is a program is not counted, unless it is signed in', async () => {
    const article = await anArticle();
    for (const userAgent of BOTS) await read(article, { userAgent });
    expect(await readCountOf(article)).toBe(0);
    await read(article, { as: await aUser(), userAgent: 'curl/8.4.0' });
    for (const userAgent of APPS) await read(article, { userAgent });
    expect(await readCountOf(article)).toBe(1 + APPS.length);
  });

  test('of a draft is refused for others, and not counted for its author', async () => {
    const ann = await aUser();
    const draft = await anArticle({ by: ann });
    await execute(`update articles set status = 'DRAFT' where id = ${draft.id}`);
    const input = { article: { slug: draft.slug } };
    expect(await executeGraphql(RecordArticleReadDocument, { input })).toFailWith('NOT_FOUND input article');
    expect(await executeGraphql(RecordArticleReadDocument, { as: await aUser(), input })).toFailWith(
      'NOT_FOUND input article',
    );
    await read(draft, { as: ann });
    expect(await readCountOf(draft)).toBe(0);
    expect(await execute('select from article_reads')).toEqual([]);
  });

  test('of an article that is deleted before it is written is dropped, and the others are counted', async () => {
    const [gone, article] = [await anArticle(), await anArticle()];
    await read(gone);
    await read(article);
    await execute(`delete from articles where id = ${gone.id}`);
    expect(await readCountOf(article)).toBe(1);
  });

  test('that cannot be written now is written later, and counted once', async () => {
    const article = await anArticle();
    await read(article);
    await execute('alter table article_reads rename to elsewhere');
    try {
      await expect(readCounter.flush()).rejects.toMatchObject({ code: '42P01' });
      await read(article);
      await read(article, { userAgent: SAFARI });
    } finally {
      await execute('alter table elsewhere rename to article_reads');
    }
    expect(await readCountOf(article)).toBe(2);
  });

  test('is shown to orders by it', async () => {
    const [once, never, twice] = [await anArticle(), await anArticle(), await anArticle()];
    await read(once);
    for (const userAgent of [FIREFOX, SAFARI]) await read(twice, { userAgent });
    await readCounter.flush();
    const { data } = await executeGraphql(`{ articles(orderBy: { field: READ_COUNT }) { nodes { slug readCount } } }`);
    expect(data).toEqual({
      articles: {
        nodes: [
          { slug: twice.slug, readCount: 2 },
          { slug: once.slug, readCount: 1 },
          { slug: never.slug, readCount: 0 },
        ],
      },
    });
  });
});

describe('what is stored of readers', () => {
  test('are hashes alone, and only as long as they are needed', async () => {
    const article = await anArticle();
    await read(article);
    await read(article, { as: await aUser() });
    await readCounter.flush();
    const rows = (await execute('select * from article_reads')) as { reader: string }[];
    expect(rows.map(({ reader }) => reader)).toEqual(Array(2).fill(expect.stringMatching(/^[\w-]{22}$/)));

    await deleteExpiredReads(orm.em.fork());
    expect(await execute('select from article_reads')).toHaveLength(2);
    await execute(`update article_reads set counted_at = counted_at - interval '30 minutes'`);
    await deleteExpiredReads(orm.em.fork());
    expect(await execute('select from article_reads')).toEqual([]);
    expect(await readCountOf(article)).toBe(2);
  });

  test('differs every day and with every secret key, and is the same for all servers', () => {
    const client = { viewer: null, address: '203.0.113.7', userAgent: FIREFOX };
    const id = (key: string, time: string) => new ReaderIds(key).idOf(client, new Date(time));
    const today = id('a secret key', '2026-03-01T00:00:00.000Z');
    expect(id('a secret key', '2026-03-01T23:59:59.999Z')).toBe(today);
    expect(id('a secret key', '2026-03-02T00:00:00.000Z')).not.toBe(today);
    expect(id('another key', '2026-03-01T00:00:00.000Z')).not.toBe(today);
  });

  test('is the same for all addresses of one network of IPv6, and differs between networks, clients and users', () => {
    const ids = new ReaderIds('a secret key');
    const of = (address: string, userAgent = FIREFOX, viewer: { id: number } | null = null) =>
      ids.idOf({ viewer, address, userAgent });
    expect(of('2001:db8::1')).toBe(of('2001:db8::2:3'));
    const all = [
      of('2001:db8::1'),
      of('2001:db8:0:1::1'),
      of('203.0.113.7'),
      of('203.0.113.8'),
      of('203.0.113.7', SAFARI),
      of('203.0.113.7', FIREFOX, { id: 1 }),
      of('203.0.113.7', FIREFOX, { id: 2 }),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(of('::1', SAFARI, { id: 1 })).toBe(of('203.0.113.7', FIREFOX, { id: 1 }));
  });
});
