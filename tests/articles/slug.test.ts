import { expect, test } from 'vitest';
import { slugify, slugifyWithSuffix } from '../../src/articles/slug.ts';

test.each<[title: string, slug: string]>([
  ['How to train your dragon', 'how-to-train-your-dragon'],
  ['  Space   and\ttabs\n', 'space-and-tabs'],
  ['UPPER Case', 'upper-case'],
  ["Don't & won’t", 'dont-wont'],
  ['C++ / C# -- 100%', 'c-c-100'],
  ['---', ''],
  ['a--b__c', 'a-b-c'],
  ['Crème brûlée', 'creme-brulee'],
  ['Größe', 'grosse'],
  ['Привет мир', 'privet-mir'],
  ['東京', 'dongjing'],
  ['Ελλάδα', 'ellada'],
  ['../../etc/passwd', 'etc-passwd'],
  ['<script>', 'script'],
])('the slug of %j is %j', (title, slug) => {
  expect(slugify(title)).toBe(slug);
});

test('a slug has at most 100 characters and does not end in a dash', () => {
  expect(slugify('a'.repeat(200))).toBe('a'.repeat(100));
  expect(slugify(`${'a'.repeat(99)} ${'b'.repeat(50)}`)).toBe('a'.repeat(99));
  expect(slugify('語'.repeat(200)).length).toBeLessThanOrEqual(100);
});

test('a slug with a suffix keeps the words of the title and has at most 100 characters', () => {
  expect(slugifyWithSuffix('How to train')).toMatch(/^how-to-train-[\da-f]{10}$/);
  expect(slugifyWithSuffix('a'.repeat(200))).toMatch(/^a{89}-[\da-f]{10}$/);
  expect(slugifyWithSuffix('!?')).toMatch(/^article-[\da-f]{10}$/);
  expect(slugifyWithSuffix('How to train')).not.toBe(slugifyWithSuffix('How to train'));
});
