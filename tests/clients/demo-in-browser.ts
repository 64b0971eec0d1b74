import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { monitor, openChromium } from '../rigs/browser/chromium.ts';
import { freePort } from '../support/free-port.ts';
import { type Demo, startDemo } from './start-demo.ts';

/** A demo for the file of tests that imports this, and a new browser profile at its home page for each test. */

const SCREENSHOTS = join(tmpdir(), 'conduit-frontend-screenshots');
export const folder = mkdtempSync(join(tmpdir(), 'conduit-frontend-'));

export let demo: Demo;
export let context: BrowserContext;
export let page: Page;
let browser: Browser;
let seen: ReturnType<typeof monitor>;

beforeAll(async () => {
  browser = await openChromium();
  Object.assign(process.env, {
    EMBEDDED_FSYNC: 'off', // what the test writes need not survive a crash
    TRUSTED_DOCUMENTS: 'only', // the frontend sends no others
  });
  demo = await startDemo({ folder: relative('.', folder), apiPort: await freePort(), pagePort: await freePort() });
  mkdirSync(SCREENSHOTS, { recursive: true });
  console.log(`Screenshots: ${SCREENSHOTS}`);
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await demo?.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  seen = monitor(context, demo.page, demo.api);
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(demo.page);
});

afterEach(async () => {
  await context.close();
  expect(seen).toEqual({ elsewhere: [], errors: [] });
});

export const link = (name: string) => page.getByRole('link', { name, exact: true });
export const menu = (name: string) => page.locator('.navbar').getByRole('link', { name, exact: true });
export const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
export const field = (label: string) => page.getByLabel(label, { exact: true });
export const heading = (name: string) => page.getByRole('heading', { name, exact: true });
export const previews = () => page.locator('.article-preview:has(h1)');
export const titles = () => page.locator('.article-preview h1').allInnerTexts();

/** The whole page, as on a desk and as on a phone, where nothing may stick out. */
export async function screenshots(name: string): Promise<void> {
  await page.waitForLoadState('networkidle'); // with all pictures
  for (const width of [1280, 420]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await page.screenshot({ path: `${SCREENSHOTS}/${name}-${width}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}
