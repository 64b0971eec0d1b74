import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { RENDERED_TABLES } from '../../src/comments/rendered-tables.ts';
import { renderOutdated } from '../../src/markdown/backfill.ts';
import { RENDERER_VERSION } from '../../src/markdown/render.ts';
import { Renderer } from '../../src/markdown/renderer.ts';
import { anArticle, aUser, type Person } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

/** What the API returns of a rendered text, when it is written, and after it was written without a renderer. */

const RENDERED = 'slug body bodyHtml excerpt readingTimeMinutes comments { nodes { id body bodyHtml } }';

const read = async (slug: string) =>
  (await executeGraphql<any, object>(`{ article(by: { slug: "${slug}" }) { ${RENDERED} } }`, {})).data.article;

async function mutate(as: Person, name: string, input: object) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input!`;
  const document = `mutation($input: ${type}) { ${name}(input: $input) { article { ${RENDERED} } errors { code message path } } }`;
  return (await executeGraphql<any, { input: object }>(document, { as, input })).data[name];
}

const create = (as: Person, body: string) => mutate(as, 'createArticle', { title: 'A title', description: 'd', body });

const execute = (statement: string) => orm.em.fork().execute<any[]>(statement);

describe('an article', () => {
  test('is returned rendered, by the mutation and by later reads', async () => {
    const { article, errors } = await create(await aUser(), '# Title\n\nSome *text*.');
    expect(errors).toEqual([]);
    expect(article).toMatchObject({
      bodyHtml: '<h1 id="user-content-title">Title</h1>\n<p>Some <em>text</em>.</p>\n',
      excerpt: 'Some text.',
      readingTimeMinutes: 1,
    });
    expect(await read(article.slug)).toEqual(article);
  });

  test('is rendered again when its body changes, and only then', async () => {
    const ann = await aUser();
    const { article } = await create(ann, 'One');
    const changed = await mutate(ann, 'updateArticle', { article: { slug: article.slug }, body: '**Two**' });
    expect(changed.article.bodyHtml).toBe('<p><strong>Two</strong></p>\n');
    const retold = await mutate(ann, 'updateArticle', { article: { slug: article.slug }, description: 'New' });
    expect(retold.article).toEqual(changed.article);
  });

  test('that is too complex to render is refused with the reason, and nothing is written', async () => {
    const ann = await aUser();
    const body = '>'.repeat(1_000);
    const reason = { code: 'TOO_MANY', message: 'nests too deep (maximum is 40 levels)', path: ['input', 'body'] };
    expect(await create(ann, body)).toEqual({ article: null, errors: [reason] });
    expect(await execute('select from articles')).toEqual([]);
    const { article } = await create(ann, 'One');
    const change = { article: { slug: article.slug }, body, title: 'Another' };
    expect((await mutate(ann, 'updateArticle', change)).errors).toEqual([reason]);
    expect(await read(article.slug)).toEqual(article);
  });

  test('of somebody else is FORBIDDEN before its new body is judged', async () => {
    const { article } = await create(await aUser(), 'One');
    const change = { article: { slug: article.slug }, body: '' };
    expect((await mutate(await aUser(), 'updateArticle', change)).errors[0].code).toBe('FORBIDDEN');
  });
});

test('a comment is rendered without ids, when it is written and when it is changed', async () => {
  const ann = await aUser();
  const { slug } = await anArticle();
  const added = await mutate(ann, 'addComment', { article: { slug }, body: '# One' });
  const [{ id, bodyHtml }] = added.article.comments.nodes;
  expect(bodyHtml).toBe('<h1>One</h1>\n');
  const changed = await mutate(ann, 'updateComment', { comment: { id }, body: '~~Two~~' });
  expect(changed.article.comments.nodes).toMatchObject([{ bodyHtml: '<p><del>Two</del></p>\n' }]);
  const refused = await mutate(ann, 'addComment', { article: { slug }, body: '>'.repeat(1_000) });
  expect(refused.errors).toMatchObject([{ code: 'TOO_MANY', path: ['input', 'body'] }]);
});

describe('an excerpt', () => {
  test.each([
    [10, 'One two…'],
    [11, 'One two…'],
    [12, 'One two…'],
    [13, 'One two three'],
    [3, 'On…'],
    [1, '…'],
    [null, 'One two three'],
  ])('of at most %s characters is %j', async (length, excerpt) => {
    const { article } = await create(await aUser(), 'One two\nthree');
    const document = `{ article(by: { slug: "${article.slug}" }) { excerpt(length: ${length}) } }`;
    expect((await executeGraphql<any, object>(document, {})).data.article).toEqual({ excerpt });
  });

  test.each([
    ['👩‍👩‍👧'.repeat(4), 7, '👩‍👩‍👧…'],
    ['👩‍👩‍👧'.repeat(4), 4, '…'],
    ['🇩🇪🇫🇷🇮🇹', 5, '🇩🇪🇫🇷…'],
    ['🇩🇪🇫🇷🇮🇹', 4, '🇩🇪…'],
    ['👍🏽👍🏽👍🏽', 4, '👍🏽…'],
    ['❤️❤️❤️', 4, '❤️…'],
    ['e\u0301'.repeat(5).normalize('NFD'), 6, 'e\u0301e\u0301…'],
    ['น้ำน้ำน้ำ', 4, 'น้ำ…'],
    ['漢字漢字', 3, '漢字…'],
  ])('of %s of at most %s characters ends between characters as people see them', async (body, length, excerpt) => {
    const { article } = await create(await aUser(), body);
    const document = `{ article(by: { slug: "${article.slug}" }) { excerpt(length: ${length}) } }`;
    expect((await executeGraphql<any, object>(document, {})).data.article).toEqual({ excerpt });
  });

  test.each([0, -1, 501])('of %s characters is BAD_USER_INPUT', async (length) => {
    const { slug } = await anArticle();
    const response = await executeGraphql(`{ article(by: { slug: "${slug}" }) { excerpt(length: ${length}) } }`, {});
    expect(response).toFailWith('BAD_USER_INPUT');
    expect(response.errors?.[0]?.message).toBe(`length is ${length}; it must be between 1 and 500.`);
  });
});

describe('a text that another program has written', () => {
  test('is its escaped source until it is rendered', async () => {
    const { slug } = await anArticle();
    await execute(`update articles set body = 'One <b>&\n\n*two*' where slug = '${slug}'`);
    expect(await read(slug)).toMatchObject({
      bodyHtml: '<p>One &lt;b&gt;&amp;</p>\n<p>*two*</p>',
      excerpt: 'One <b>& *two*',
      readingTimeMinutes: 1,
    });
    expect(await renderOutdated(orm.em, RENDERED_TABLES)).toBe(1);
    expect((await read(slug)).bodyHtml).toBe('<p>One &lt;b&gt;&amp;</p>\n<p><em>two</em></p>\n');
  });

  test('that keeps its body keeps its rendering', async () => {
    const { article } = await create(await aUser(), '*One*');
    await execute(`update articles set title = 'Another', body = body`);
    expect((await read(article.slug)).bodyHtml).toBe(article.bodyHtml);
  });
});

describe('rendering what older versions have written', () => {
  const addOld = (count: number) =>
    execute(`insert into articles (slug, title, description, body, author_id)
      select 'old-' || n, 't', 'd', '*old ' || n || '*', (select min(id) from users) from generate_series(1, ${count}) n`);

  test('renders every row in batches, and nothing a second time', async () => {
    await aUser();
    await addOld(250);
    const progress: number[] = [];
    await renderOutdated(orm.em, RENDERED_TABLES, { onBatch: ({ rendered }) => progress.push(rendered) });
    expect(progress.length).toBeGreaterThanOrEqual(3);
    expect(progress.at(-1)).toBe(250);
    expect(await renderOutdated(orm.em, RENDERED_TABLES)).toBe(0);
    expect((await read('old-77')).bodyHtml).toBe('<p><em>old 77</em></p>\n');
  });

  test('continues after it was stopped', async () => {
    await aUser();
    await addOld(250);
    const stop = new AbortController();
    await renderOutdated(orm.em, RENDERED_TABLES, { signal: stop.signal, onBatch: () => stop.abort() });
    expect(await renderOutdated(orm.em, RENDERED_TABLES)).toBe(150);
  });

  test('by two at once renders each row once, and leaves alone what is written meanwhile', async () => {
    const ann = await aUser();
    await addOld(250);
    const both = [renderOutdated(orm.em, RENDERED_TABLES), renderOutdated(orm.em, RENDERED_TABLES)];
    const { article } = await mutate(ann, 'updateArticle', { article: { slug: 'old-250' }, body: 'New' });
    const counts = await Promise.all(both);
    expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(249);
    expect((await read('old-250')).bodyHtml).toBe(article.bodyHtml);
    expect(await execute(`select from articles where renderer_version < ${RENDERER_VERSION}`)).toEqual([]);
  });

  test('does not change updatedAt, version or order, and leaves a text that is too complex as its source', async () => {
    await aUser();
    await addOld(2);
    await execute(`update articles set body = repeat('>', 1000) where slug = 'old-1'`);
    const columns = 'select slug, updated_at, version from articles order by id';
    const before = await execute(columns);
    await renderOutdated(orm.em, RENDERED_TABLES);
    expect(await execute(columns)).toEqual(before);
    expect((await read('old-1')).bodyHtml).toBe(`<p>${'&gt;'.repeat(1000)}</p>`);
    expect(await renderOutdated(orm.em, RENDERED_TABLES)).toBe(0);
  });
});

describe('the thread that renders', () => {
  test('leaves the event loop free', async () => {
    const renderer = new Renderer(60_000);
    await renderer.render('start', { headingAnchors: true });
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 1);
    const long = 'Some *text* with `code` and [links](https://a.example).\n\n'.repeat(600);
    await Promise.all(Array.from({ length: 10 }, () => renderer.render(long, { headingAnchors: true })));
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(5);
  });

  test('is ended when a text takes too long, and the next text is rendered by another', async () => {
    const renderer = new Renderer(1);
    const slow = 'a *b* '.repeat(3_000);
    await expect(renderer.render(slow, { headingAnchors: true })).rejects.toMatchObject({
      reason: 'takes too long to render',
    });
    await sleep(10);
    const again = new Renderer(60_000);
    expect((await again.render('*a*', { headingAnchors: true })).html).toBe('<p><em>a</em></p>\n');
  });
});
