import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { aUser, type Person } from '../../support/test-data.ts';
import { address, executeGraphql } from '../../support/test-server.ts';
import { openChromium } from './chromium.ts';

/** Texts are stored as written; showing them in the Playground must not run the scripts in them. */

const RUN = 'window.hasRun=1';
const SCRIPTS = [
  `<script>${RUN}</script>`,
  `<img src=x onerror=${RUN}>`,
  `"></script><svg onload=${RUN}>`,
  `[x](javascript:${RUN})`,
];
const ALL = SCRIPTS.join(' ');

let browser: Browser;
let context: BrowserContext;
let page: Page;
let ann: Person;

beforeAll(async () => {
  browser = await openChromium();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  ann = await aUser(`<img src=x onerror=${RUN}>`);
  const as = ann;
  const profile = { bio: ALL, image: `https://x.example/'onerror='${RUN}'.png` };
  const article = { title: ALL, description: ALL, body: ALL, tagList: SCRIPTS };
  for (const [field, input] of Object.entries({ updateViewer: profile, createArticle: article })) {
    const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input!`;
    const query = `mutation($input: ${type}) { ${field}(input: $input) { errors { message } } }`;
    expect(await executeGraphql(query, { as, input })).toMatchObject({ data: { [field]: { errors: [] } } });
  }
  const { data } = await executeGraphql<{ articles: { nodes: [{ slug: string }] } }, object>(
    '{ articles { nodes { slug } } }',
  );
  const comment = { article: { slug: data.articles.nodes[0].slug }, body: ALL };
  const query = 'mutation($input: AddCommentInput!) { addComment(input: $input) { errors { message } } }';
  expect(await executeGraphql(query, { as, input: comment })).toMatchObject({ data: { addComment: { errors: [] } } });
  context = await browser.newContext({ viewport: { width: 1400, height: 2400 } });
  page = await context.newPage();
});

afterEach(() => context.close());

const WRITTEN = `{ articles { nodes {
  title slug description body tagList author { username bio image } comments { nodes { body author { username } } }
} } }`;

test('the Playground shows scripts in results without running them', async () => {
  await openPlayground(`?query=${encodeURIComponent(WRITTEN)}`);
  await run();
  await shows('<script>window.hasRun=1</script>');
  await shows('onerror=');
  await hoverOverEverything();
  await expectNothingToHaveRun();
});

test('the Playground shows the name in a token, and errors, without running scripts', async () => {
  await openPlayground(`?query=${encodeURIComponent(`{ a: articles(after: "${SCRIPTS[1]}") { nodes { id } } }`)}`);
  await run();
  await shows('it must be a cursor');
  await hoverOverEverything();
  await expectNothingToHaveRun();
  await page.evaluate((name) => {
    sessionStorage.setItem('authorization', JSON.stringify({ header: 'Token x', name }));
  }, SCRIPTS[1]);
  await page.reload();
  await page.getByText(`Signed in as ${SCRIPTS[1]}`).waitFor();
  await expectNothingToHaveRun();
});

test('a link to the Playground runs neither scripts nor operations by itself', async () => {
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.postData() ?? ''));
  for (const name of ['query', 'variables', 'headers', 'operationName', 'title', 'documentId', SCRIPTS[1] as string]) {
    for (const value of [ALL, `mutation M { logout { ok } }${ALL}`, JSON.stringify({ [ALL]: ALL })]) {
      await openPlayground(`?${encodeURIComponent(name)}=${encodeURIComponent(value)}#${encodeURIComponent(ALL)}`);
      await expectNothingToHaveRun();
    }
  }
  expect(requests.filter((body) => body.includes('logout'))).toEqual([]);
});

test('no other path serves a page', async () => {
  const query = encodeURIComponent(WRITTEN);
  const paths = [
    '/version',
    '/healthz',
    '/readyz',
    '/schema.graphql',
    `/${ALL}`,
    `/playground/${ALL}`,
    `/graphql/${ALL}`,
  ];
  // Chromium prefers HTML, which at /graphql is the Playground.
  await context.route('**/graphql?query=*', (route) =>
    route.continue({ headers: { accept: 'application/json', 'apollo-require-preflight': 'yes' } }),
  );
  for (const path of [...paths, `/graphql?query=${query}`]) {
    const response = await page.goto(`${address}${path}`);
    const { 'content-type': type, 'x-content-type-options': guessing } = response?.headers() ?? {};
    expect([type, guessing], path).toEqual([expect.not.stringMatching(/html|xml|svg|script/), 'nosniff']);
    expect(response?.headers()['content-security-policy'], path).toMatch(/^default-src 'none'/);
    await expectNothingToHaveRun();
  }
});

async function openPlayground(search: string): Promise<void> {
  await page.goto(`${address}/graphql${search}`);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
}

const run = () => page.getByRole('button', { name: /Execute query/ }).click();

const shows = (text: string) =>
  expect
    .poll(async () => (await page.locator('.graphiql-response .view-lines').innerText()).replaceAll('\u00a0', ' '))
    .toContain(text);

/** The editor shows images, links and descriptions on hover. */
async function hoverOverEverything(): Promise<void> {
  for (const line of await page.locator('.graphiql-response .view-line').all()) {
    await line.hover({ position: { x: 300, y: 5 }, timeout: 1_000 }).catch(() => {});
    await page.waitForTimeout(50);
  }
}

async function expectNothingToHaveRun(): Promise<void> {
  await page.waitForTimeout(50);
  expect(await page.evaluate(() => (globalThis as { hasRun?: unknown }).hasRun)).toBeUndefined();
}
