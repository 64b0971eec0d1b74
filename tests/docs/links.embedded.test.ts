import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const read = (file: string) => readFileSync(file, 'utf8');
const guides = ['README.md', 'SECURITY.md', ...globSync('docs/*.md')];

test.each(guides)('every link of %s to a file leads to one', (guide) => {
  const links = [...read(guide).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path);
  expect(links.filter((path) => !existsSync(join(dirname(guide), path)))).toEqual([]);
});

test('every file of src that README.md names exists', () => {
  const named = [...read('README.md').matchAll(/`([\w-]+(?:\/[\w.-]+)+\.ts)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !existsSync(path) && !existsSync(`src/${path}`))).toEqual([]);
});

test.each(guides)('every npm script that %s names exists', (guide) => {
  const { scripts } = JSON.parse(read('package.json'));
  const named = [...read(guide).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, script = '']) => script);
  expect(named.filter((script) => !(script in scripts))).toEqual([]);
});

test.each(guides)('every heading that %s links to exists', (guide) => {
  const links = [...read(guide).matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)];
  const missing = links.filter(([, path = '', anchor = '']) => {
    const target = path === '' ? guide : join(dirname(guide), path);
    return existsSync(target) && target.endsWith('.md') && !anchors(read(target)).includes(anchor);
  });
  expect(missing.map(([link]) => link)).toEqual([]);
});

/** As GitHub makes them of headings. */
const anchors = (markdown: string) =>
  [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
