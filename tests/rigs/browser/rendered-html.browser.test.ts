import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { render } from '../../../src/markdown/render.ts';
import { MarkdownRefusal } from '../../../src/markdown/syntax/limits.ts';
import { openChromium } from './chromium.ts';
import { scriptVectors } from './script-vectors.ts';

/**
 * What is rendered from Markdown runs no script in a page: neither when it is shown, nor when every link is clicked and every
 * element is hovered over. To try a list of your own, one text per line: VECTORS=list.txt npm run test:browser -- rendered-html
 */

const { VECTORS } = process.env;
const vectors = VECTORS ? readFileSync(VECTORS, 'utf8').split('\n') : scriptVectors();

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await openChromium();
  page = await browser.newPage();
  await page.addScriptTag({ path: new URL('show-html.js', import.meta.url).pathname });
});
afterAll(() => browser?.close());

test('the page notices a script that runs', async () => {
  const scripts = [
    '<img src=x onerror=window.hasRun=1>',
    '<a href="javascript:window.hasRun=1">a</a>',
    '<p onmouseover=window.hasRun=1>a</p>',
    '<script>window.hasRun=1</script>',
  ];
  expect(await scriptsOf(['<p>none</p>', ...scripts])).toEqual([1, 2, 3, 4]);
});

test(`none of ${vectors.length.toLocaleString('en')} texts that carry a script runs one`, {
  timeout: 600_000,
}, async () => {
  expect(vectors.length).toBeGreaterThan(VECTORS ? 0 : 500);
  const html = vectors.map(renderedOrRefused);
  expect((await scriptsOf(html)).map((index) => [vectors[index], html[index]])).toEqual([]);
});

function renderedOrRefused(source: string): string {
  try {
    return render(source, { headingAnchors: true }).html;
  } catch (error) {
    if (error instanceof MarkdownRefusal) return '';
    throw error;
  }
}

/** The indexes of the texts that run a script. */
const scriptsOf = (html: readonly string[]) => page.evaluate<number[]>(`scriptsOf(${JSON.stringify(html)})`);
