import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

/** A headless Chromium that can reach only this machine. */
export async function openChromium(): Promise<Browser> {
  const executablePath = [process.env.CHROMIUM, ...USUAL_PLACES].find((path) => path && existsSync(path));
  if (!executablePath) {
    throw new Error(
      `No Chromium at ${USUAL_PLACES.join(', ')}. Install one (Debian: apt-get install chromium), or set CHROMIUM to its path.`,
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
      ...'--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking'.split(' '),
      ...'--disable-component-update --disable-sync'.split(' '),
    ],
  });
}

const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Records requests to other hosts, and errors and warnings of the console. Both must stay empty. */
export function monitor(context: BrowserContext, ...ownAddresses: string[]) {
  const elsewhere: string[] = [];
  const errors: string[] = [];
  context.on('request', (request) => {
    const url = request.url();
    const isOwn = ownAddresses.some((own) => url.startsWith(`${own}/`)) || /^(data|blob):/.test(url);
    if (!isOwn) elsewhere.push(url);
  });
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text());
  });
  context.on('weberror', (error) => errors.push(String(error.error())));
  return { elsewhere, errors };
}
