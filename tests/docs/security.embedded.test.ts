import { existsSync, globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const text = readFileSync('docs/security.md', 'utf8');

test('every file that docs/security.md names exists', () => {
  const named = new Set([...text.matchAll(/`((?:src|tests|docs)\/[^`\s]+)`/g)].map(([, path = '']) => path));
  expect(named.size).toBeGreaterThan(50);
  expect([...named].filter((path) => !existsSync(path))).toEqual([]);
});

test('every test that docs/security.md quotes is in the file it names', () => {
  const quotes = [...text.matchAll(/`(tests\/[^`]+)`((?:,? “[^”]+”)+)/g)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
  );
  expect(quotes.length).toBe(text.match(/“/g)?.length);
  expect(quotes.filter(({ file, title }) => !readFileSync(file, 'utf8').includes(title))).toEqual([]);
});

test('docs/security.md names every attack', () => {
  const attacks = globSync('tests/rigs/attacks/*.attack.test.ts');
  expect(attacks.filter((file) => !text.includes(file))).toEqual([]);
});

test('no requirement of the ASVS is listed twice', () => {
  const claimed = text.match(/^\| V[^|]+/gm)?.flatMap((rows) => rows.match(/V\d+\.\d+\.\d+/g) ?? []) ?? [];
  expect(claimed.length).toBeGreaterThan(100);
  expect(claimed.filter((row, index) => claimed.indexOf(row) !== index)).toEqual([]);
});

test('every test of authentication and every attack is tagged, so that none is retried', () => {
  const files = globSync(['tests/auth/*.test.ts', 'tests/rigs/attacks/*.test.ts']);
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => !readFileSync(file, 'utf8').includes('// @module-tag security\n'))).toEqual([]);
});
