import { expect, test } from 'vitest';
import { DeleteArticleDocument, TagsDocument } from '../../schema/generated/graphql.ts';
import { anArticle, aUser } from '../support/test-data.ts';
import { executeGraphql } from '../support/test-server.ts';

const tags = async (variables: object = {}) =>
  ((await executeGraphql(TagsDocument, variables)).data.tags.nodes ?? []).map(({ name, articlesCount }) => [
    name,
    articlesCount,
  ]);

const tag = async (name: string) =>
  (
    await executeGraphql<any, { name: string }>(
      'query Tag($name: String!) { tag(name: $name) { name articlesCount } }',
      { name },
    )
  ).data.tag;

test('lists the tags of articles with their counts, most used first', async () => {
  await anArticle({ tagList: ['one', 'two'] });
  await anArticle({ tagList: ['two', 'Two'] });
  expect((await tags())[0]).toEqual(['two', 2]);
  expect((await tags()).toSorted()).toEqual([
    ['Two', 1],
    ['one', 1],
    ['two', 2],
  ]);
});

test('does not list a tag without articles, but finds it by name', async () => {
  const ann = await aUser();
  const { slug } = await anArticle({ by: ann, tagList: ['gone'] });
  await executeGraphql(DeleteArticleDocument, { as: ann, input: { article: { slug } } });
  expect(await tags()).toEqual([]);
  expect(await tag('gone')).toEqual({ name: 'gone', articlesCount: 0 });
});

test('finds a tag only by its exact name', async () => {
  await anArticle({ tagList: ['Dragon', '__proto__', '%'] });
  expect(await tag('Dragon')).toEqual({ name: 'Dragon', articlesCount: 1 });
  expect(await tag('__proto__')).toEqual({ name: '__proto__', articlesCount: 1 });
  for (const name of ['dragon', ' Dragon', '', 'a\0', '\ud800', '_', '%%']) expect(await tag(name)).toBeNull();
});

test('filters tags by prefix, ignoring case and without wildcards', async () => {
  await anArticle({ tagList: ['Dragon', 'dragonfly', 'a dragon', '%', '_x', 'ÄRGER'] });
  const names = async (prefix: string | null) => (await tags({ prefix })).map(([name]) => name).toSorted();
  expect(await names('DRAG')).toEqual(['Dragon', 'dragonfly']);
  expect(await names('%')).toEqual(['%']);
  expect(await names('_')).toEqual(['_x']);
  expect(await names('nothing')).toEqual([]);
  expect(await names('a\0')).toEqual([]);
  expect(await names('')).toHaveLength(6);
  expect(await names(null)).toHaveLength(6);
});
