import { print } from 'graphql';
import { expect, test } from 'vitest';
import { RefreshSessionDocument } from '../../schema/generated/graphql.ts';
import { DEMO_EMAIL, PASSWORD } from '../../src/seeding/credentials.ts';
import {
  button,
  context,
  demo,
  field,
  heading,
  link,
  menu,
  page,
  previews,
  screenshots,
  titles,
} from './demo-in-browser.ts';

/** The frontend as its users see it, in a browser, with the demo blog of a server of its own. */

test('a newcomer signs up, writes with tags, edits, comments, favourites, follows, reads the feed and signs out', async () => {
  await link('Sign up').click();
  await button('Sign up').click();
  await page.getByText("The username can't be blank.").waitFor();
  await screenshots('sign-up');
  await field('Username').fill('newcomer');
  await field('Email').fill('newcomer@example.com');
  await field('Password').fill('a password of mine');
  await button('Sign up').click();
  await menu('newcomer').waitFor();

  await link('New Article').click();
  await field('Article Title').fill('My first article');
  await field("What's this article about?").fill('How it began.');
  await field('Write your article (in markdown)').fill('It *began* with `npm run demo`.');
  for (const tag of ['beginnings', 'mistake']) {
    await field('Enter tags').fill(tag);
    await field('Enter tags').press('Enter');
  }
  await button('Remove mistake').click();
  await screenshots('editor');
  await button('Save Draft').click();
  await page.getByText('Draft · 1 min read').first().waitFor();
  expect(await page.locator('.article-content').innerHTML()).toContain('<em>began</em>');
  expect(await page.locator('.article-page .tag-list').innerText()).toBe('beginnings');
  expect(await page.locator('.comment-form').count()).toBe(0);

  await link('Edit Article').first().click();
  await field('Article Title').fill('My first published article');
  await button('Publish Article').click();
  await heading('My first published article').waitFor();
  expect(page.url()).toBe(`${demo.page}/article/my-first-published-article`);

  await button('Post Comment').click();
  await page.getByText("The text can't be blank.").waitFor();
  await field('Comment').fill('The first comment is **mine**.');
  await button('Post Comment').click();
  await page.getByText('The first comment is mine.').waitFor();
  expect(await field('Comment').inputValue()).toBe('');
  await field('Comment').fill('So is this one.');
  await button('Post Comment').click();
  await page.getByText('So is this one.').waitFor();
  await button('Delete comment').first().click();
  await page.getByText('So is this one.').waitFor({ state: 'detached' });
  await screenshots('own-article');

  await page.goto(`${demo.page}/article/hello-conduit`);
  const favorites = await counter();
  await button(/^Favorite Article/)
    .first()
    .click();
  await button(/^Unfavorite Article/)
    .first()
    .waitFor();
  expect(await counter()).toBe(favorites + 1);
  const author = await page.locator('.author').first().innerText();
  await button(`Follow ${author}`).first().click();
  await button(`Unfollow ${author}`).first().waitFor();
  await screenshots('article');

  await link('Home').click();
  await link('Your Feed').click();
  await expect
    .poll(async () => new Set(await page.locator('.article-preview .author').allInnerTexts()))
    .toEqual(new Set([author]));
  await screenshots('feed');

  await menu('newcomer').click();
  await heading('newcomer').waitFor();
  await expect.poll(titles).toEqual(['My first published article']);
  await link('Favorited Articles').click();
  await page.getByText('Hello, Conduit').waitFor();
  await screenshots('profile');

  await link('Settings').click();
  await field('Short bio about you').fill('New here.');
  await screenshots('settings');
  await button('Update Settings').click();
  await page.locator('.user-info').getByText('New here.').waitFor();
  await link('Settings').click();
  await button('Or click here to logout.').click();
  await link('Sign in').waitFor();
});

test('a guest pages through the articles, filters them by a tag, searches, and is led to sign-in', async () => {
  await previews().first().waitFor();
  await screenshots('home');
  const first = await titles();
  expect(first).toHaveLength(10);
  await link('2').click();
  await expect.poll(titles).not.toEqual(first);
  expect(page.url()).toBe(`${demo.page}/?page=2`);
  await page.goBack();
  await expect.poll(titles).toEqual(first);

  const tag = page.locator('.sidebar .tag-pill').first();
  const name = await tag.innerText();
  await tag.click();
  await link(`# ${name}`).waitFor();
  await previews().first().waitFor();
  for (const tags of await page.locator('.preview-link .tag-list').allInnerTexts()) expect(tags).toContain(name);

  await page.getByLabel('Search articles').fill('deadlocks');
  await page.keyboard.press('Enter');
  await page.getByText('Deadlocks are a question of manners').waitFor();

  await previews().first().getByRole('button').click();
  await heading('Sign in').waitFor();
  await page.goto(`${demo.page}/article/nothing`);
  await page.getByText('There is no such article.').waitFor();
});

test('signing in opens a session that survives a reload and is refreshed once when its token is no longer good', async () => {
  await link('Sign in').click();
  await field('Email').fill(DEMO_EMAIL);
  await field('Password').fill('a wrong one');
  await button('Sign in').click();
  await page.locator('.error-messages').waitFor();
  await screenshots('sign-in');
  await field('Password').fill(PASSWORD);
  await button('Sign in').click();
  await menu('johndoe').waitFor();
  await page.reload();
  await menu('johndoe').waitFor();

  const refreshes: string[] = [];
  page.on('request', (request) => {
    if (request.postData()?.includes('mutation RefreshSession')) refreshes.push(request.url());
  });
  const before = await spoilToken();
  await page.reload();
  await menu('johndoe').waitFor();
  await previews().first().waitFor();
  expect(refreshes).toHaveLength(1);
  expect((await tokens()).token).toMatch(/^eyJ/);
  expect((await tokens()).refreshToken).not.toBe(before.refreshToken);

  const other = await context.newPage();
  await other.goto(`${demo.page}/settings`);
  const logOut = other.getByRole('button', { name: 'Or click here to logout.' });
  await logOut.waitFor();
  const { refreshToken } = await spoilToken();
  await logOut.click();
  await link('Sign in').waitFor(); // this tab is signed out too
  expect(await sessionGoesOn(refreshToken)).toBe(false);
});

test('a session that is over continues as a guest', async () => {
  await page.evaluate(() => localStorage.setItem('conduit-session', '{"token":"gone","refreshToken":"gone"}'));
  await page.reload();
  await link('Sign in').waitFor();
  await previews().first().waitFor();
});

/** The number of favourites that the first button of the article shows. */
const counter = async () =>
  Number(
    /\d+/.exec(
      await button(/avorite Article/)
        .first()
        .innerText(),
    )?.[0],
  );

type Tokens = { token: string; refreshToken: string };
const tokens = (): Promise<Tokens> => page.evaluate(() => JSON.parse(localStorage.getItem('conduit-session') ?? '{}'));

/** As if the token had expired. */
async function spoilToken(): Promise<Tokens> {
  const { refreshToken } = await tokens();
  const spoilt = { token: 'expired', refreshToken };
  await page.evaluate((value) => localStorage.setItem('conduit-session', value), JSON.stringify(spoilt));
  return spoilt;
}

/** Whether the server still takes the refresh token, as it must not from a session that was signed out. */
async function sessionGoesOn(refreshToken: string): Promise<boolean> {
  const body = JSON.stringify({ query: print(RefreshSessionDocument), variables: { input: { refreshToken } } });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${demo.api}/graphql`, { method: 'POST', headers, body });
  const { data } = (await response.json()) as { data: { refreshSession: { token: string | null } } };
  return data.refreshSession.token !== null;
}
