import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { DEMO_EMAIL, PASSWORD } from '../../src/seeding/credentials.ts';
import { freePort } from '../support/free-port.ts';
import {
  button,
  context,
  demo,
  field,
  folder,
  heading,
  link,
  menu,
  page,
  previews,
  screenshots,
} from './demo-in-browser.ts';
import { startDemo } from './start-demo.ts';

/** What users, other tabs, and other scripts of the page do that the frontend does not ask for. */

test('whoever has no proper tokens in localStorage is a guest', async () => {
  const proper = 'abc';
  const improper = ['', '{', '{}', '[]', '5', 'null', '"text"', '{"token":1}'].concat(
    ['', null, 1, 'two\nlines', 'caf\u00e9', 'with space'].flatMap((token) => [
      JSON.stringify({ token, refreshToken: proper }),
      JSON.stringify({ token: proper, refreshToken: token }),
    ]),
  );
  for (const stored of improper) {
    await page.evaluate((value) => localStorage.setItem('conduit-session', value), stored);
    await page.goto(`${demo.page}/login`);
    await link('Sign up').waitFor();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  }
});

test('a second sign-in, in another tab, shows its user in every tab', async () => {
  await signIn();
  const other = await context.newPage();
  await register(other, 'second');
  await menu('second').waitFor();
  await page.goto(`${demo.page}/profile/johndoe/drafts`);
  await page.getByText('There is no such page.').waitFor();
});

test('only the author sees a page of drafts', async () => {
  await page.goto(`${demo.page}/profile/johndoe/drafts`);
  await page.getByText('There is no such page.').waitFor();
  await signIn();
  await page.goto(`${demo.page}/profile/johndoe/drafts`);
  await heading('johndoe').waitFor();
  expect(await page.getByText('There is no such page.').count()).toBe(0);
});

test('two clicks at once publish one article, with the tag that was typed last, and no long word sticks out', async () => {
  const word = 'w'.repeat(50);
  await register(page, word);
  await link('New Article').click();
  await field('Article Title').fill(word.repeat(2));
  await field("What's this article about?").fill(word.repeat(2));
  await field('Write your article (in markdown)').fill(
    `${word.repeat(3)}\n\n# ${word.repeat(2)}\n\n\`${word.repeat(3)}\`\n\n| a | ${word.repeat(3)} |\n|---|---|\n| b | c |`,
  );
  for (const tag of [word, 'entered']) {
    await field('Enter tags').fill(tag);
    await field('Enter tags').press('Enter');
  }
  await field('Enter tags').fill(' typed ');
  await screenshots('long-editor');
  const created = requestsOf('CreateArticle');
  await button('Publish Article').evaluate((publish: { click(): void }) => {
    publish.click();
    publish.click();
  });
  await heading(word.repeat(2)).first().waitFor();
  expect(created).toHaveLength(1);
  expect(await page.locator('.article-page .tag-list li').allInnerTexts()).toEqual([word, 'entered', 'typed']);
  await field('Comment').fill(word.repeat(3));
  await button('Post Comment').click();
  await page.locator('.card-text').waitFor();
  await screenshots('long-article');

  await page.goto(`${demo.page}/settings`);
  await field('Short bio about you').fill(word.repeat(3));
  await button('Update Settings').click();
  await previews().first().waitFor();
  expect(await previews().count()).toBe(1);
  await screenshots('long-profile');
  await page.goto(`${demo.page}/tag/${word}`);
  await previews().first().waitFor();
  await screenshots('long-tag');
});

test('any number of a page leads to a page that the server has', async () => {
  const asked = requestsOf('Articles');
  for (const number of ['0', '-5', '2.9', '1001', '1002', '1e300', 'Infinity', 'x']) {
    await page.goto(`${demo.page}/?page=${number}`);
    await page.locator('.pagination').waitFor();
    expect(await page.locator('.error-messages').count(), number).toBe(0);
  }
  const offsets = asked.map((body) => JSON.parse(body).variables.offset);
  expect([...new Set(offsets)].toSorted((one, two) => one - two)).toEqual([0, 10, 10_000]);
});

test('an edit that comes too late leads to the newer article', async () => {
  await register(page, 'editor');
  await link('New Article').click();
  await field('Article Title').fill('Edited twice');
  await field("What's this article about?").fill('Two tabs.');
  await field('Write your article (in markdown)').fill('First.');
  await button('Publish Article').click();
  await link('Edit Article').first().click();
  await field('Article Title').fill('Edited too late');

  const other = await context.newPage();
  await other.goto(`${demo.page}/editor/edited-twice`);
  await other.getByLabel('Article Title').fill('Edited in time');
  await other.getByRole('button', { name: 'Publish Article' }).click();
  await other.getByRole('heading', { name: 'Edited in time' }).first().waitFor();

  await button('Publish Article').click();
  const opened = context.waitForEvent('page');
  await link('Open the newer article in a new tab').click();
  await (await opened).getByRole('heading', { name: 'Edited in time' }).first().waitFor();
  expect(await field('Article Title').inputValue()).toBe('Edited too late');
});

test('a demo keeps its data and its frontend in its folder', () => {
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['data', 'frontend']));
});

test('a copy of the frontend outside the project builds with a copy of the documents', async () => {
  const copy = join(folder, 'copy');
  cpSync('tests/clients/frontend', copy, { recursive: true });
  for (const file of ['graphql.ts', 'possible-types.ts'])
    cpSync(join('schema/generated', file), join(copy, 'src/api', file));
  const documents = join(copy, 'src/api/documents.ts');
  writeFileSync(documents, readFileSync(documents, 'utf8').replaceAll('../../../../../schema/generated/', './'));
  await promisify(execFile)('npm', ['run', 'build'], { cwd: copy });
  expect(readdirSync(join(copy, 'dist'))).toContain('index.html');
});

test('a demo whose port is in use says so', async () => {
  const apiPort = Number(new URL(demo.api).port);
  const settings = { folder: join(folder, 'other'), apiPort, pagePort: await freePort() };
  await expect(startDemo(settings)).rejects.toThrow(`Port ${apiPort} is in use.`);
});

async function signIn(): Promise<void> {
  await page.goto(`${demo.page}/login`);
  await field('Email').fill(DEMO_EMAIL);
  await field('Password').fill(PASSWORD);
  await button('Sign in').click();
  await menu('johndoe').waitFor();
}

async function register(tab: Page, username: string): Promise<void> {
  await tab.goto(`${demo.page}/register`);
  await tab.getByLabel('Username').fill(username);
  await tab.getByLabel('Email').fill(`${username}@example.com`);
  await tab.getByLabel('Password').fill('a password of mine');
  await tab.getByRole('button', { name: 'Sign up' }).click();
  await tab.locator('.navbar').getByRole('link', { name: username, exact: true }).waitFor();
}

/** The bodies of the requests with the operation, as they are sent from now on. */
function requestsOf(operation: string): string[] {
  const bodies: string[] = [];
  page.on('request', (request) => {
    const body = request.postData();
    if (body?.includes(`"operationName":"${operation}"`)) bodies.push(body);
  });
  return bodies;
}
