import { mkdirSync } from 'node:fs';
import { pino } from 'pino';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { addDemoBlog } from '../../../src/seeding/demo/demo-blog.ts';
import { Readiness } from '../../../src/server/http/health.ts';
import { buildServer } from '../../../src/server/server.ts';
import { address, orm, settings } from '../../support/test-server.ts';
import { monitor, openChromium } from './chromium.ts';

const SCREENSHOTS = `${import.meta.dirname}/screenshots`;

let browser: Browser;
let context: BrowserContext;
let page: Page;
let seen: ReturnType<typeof monitor>;

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  browser = await openChromium();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  await addDemoBlog(orm.em.fork());
  await open('light');
});

afterEach(async () => {
  await context.close();
  expect(seen).toEqual({ elsewhere: [], errors: [] });
});

test('a query runs from the first tab', async () => {
  await run();
  await resultShows('"totalCount": 60');
  await shot('query');
});

test('after signing in, one click uses the token in every tab', async () => {
  expect(await favoritesOfJohn()).not.toContain('hello-conduit');
  await tab('FavoriteArticle');
  await run();
  await resultShows('UNAUTHENTICATED');

  await tab('Login');
  await run();
  await page.getByRole('button', { name: 'Use johndoe’s token' }).waitFor();
  await shot('signed-in-offer');
  await page.getByRole('button', { name: 'Use johndoe’s token' }).click();
  expect(await page.getByLabel('Authorization').inputValue()).toMatch(/^Token eyJ/);
  await page.getByText('Signed in as johndoe').waitFor();

  await tab('FavoriteArticle');
  await run();
  await resultShows('"viewerHasFavorited": true');
  await shot('mutation');
  expect(await favoritesOfJohn()).toContain('hello-conduit');

  await page.getByRole('button', { name: 'Sign out' }).click();
  await run();
  await resultShows('UNAUTHENTICATED');
});

test('the documentation describes Article', async () => {
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-doc-explorer-search-input input').fill('Article');
  await page.getByRole('option', { name: 'Article', exact: true }).click();
  await page.getByText('A published text with its author, tags, favourites and comments.').waitFor();
  await page.getByText('How many users have favourited it.').waitFor();
  await shot('documentation');
});

test('a field name is completed while it is typed', async () => {
  await write('{ articles { totalC');
  await page.keyboard.press('Control+Space');
  await page.locator('.suggest-widget').getByText('totalCount').first().waitFor();
  await shot('completion');
});

test('an unknown field is underlined, and refused by the server', async () => {
  await write('{ articles { nothing');
  await page.locator('.graphiql-query-editor .squiggly-error').first().waitFor();
  await run();
  await resultShows('Cannot query field \\"nothing\\"');
  await shot('validation');
});

test('follows the preferred color scheme', async () => {
  await context.close();
  await open('dark');
  await run();
  await resultShows('"totalCount"');
  await shot('dark');
});

test('the operation and the token survive a reload', async () => {
  await write('{ viewer { email } }');
  await page.getByLabel('Authorization').fill('Token forged');
  await page.waitForTimeout(1_000); // GraphiQL saves what is typed once typing pauses
  await page.reload();
  await page.locator('.graphiql-query-editor').getByText('viewer').first().waitFor();
  expect(await page.getByLabel('Authorization').inputValue()).toBe('Token forged');
  expect(page.url()).toBe(`${address}/graphql`);
});

test('with trusted documents only, it shows the schema, runs its own tabs, and reports why it runs nothing else', async () => {
  const strict = await buildServer({
    em: orm.em,
    log: pino({ level: 'fatal' }),
    settings: { ...settings, trustedDocumentsOnly: true },
    readiness: new Readiness(orm, null, 'not checked'),
  });
  await context.close();
  await open('light', await strict.listen({ port: 0, host: '127.0.0.1' }));
  await run();
  await resultShows('"totalCount": 60');
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.getByRole('link', { name: 'Query', exact: true }).waitFor();

  await write('{ articles { totalCount');
  await run();
  await resultShows('PERSISTED_QUERY_NOT_FOUND');
  await shot('trusted-documents');
  await strict.close();
});

const favoritesOfJohn = async (): Promise<string[]> => {
  const rows = await orm.em
    .fork()
    .execute<{ slug: string }[]>(
      `select slug from favorites join articles on articles.id = article_id join users on users.id = user_id where username = 'johndoe'`,
    );
  return rows.map(({ slug }) => slug);
};

async function open(colorScheme: 'light' | 'dark', at = address) {
  context = await browser.newContext({ viewport: { width: 1400, height: 860 }, colorScheme });
  seen = monitor(context, at);
  page = await context.newPage();
  const response = await page.goto(`${at}/graphql`);
  expect(response?.headers()['content-security-policy']).toContain("default-src 'none'");
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
}

const run = () => page.getByRole('button', { name: /Execute query/ }).click();

async function tab(name: string) {
  await page.locator('.graphiql-tab-button').getByText(name, { exact: true }).click();
  await page.locator('.graphiql-query-editor .view-lines').getByText(name, { exact: true }).first().waitFor();
}

const shot = (name: string) => page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });

async function write(text: string) {
  await page.locator('.graphiql-query-editor .view-lines').first().click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

/** The editor shows spaces as non-breaking spaces. */
const resultShows = (text: string) =>
  expect
    .poll(async () => (await page.locator('.graphiql-response .view-lines').innerText()).replaceAll('\u00a0', ' '), {
      timeout: 15_000,
    })
    .toContain(text);
