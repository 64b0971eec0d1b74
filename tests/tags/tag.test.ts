import { expect, test } from 'vitest';
import { CreateArticleDocument, DeleteArticleDocument, TagsDocument } from '../../schema/generated/graphql.ts';
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

test('neither lists nor finds a tag without published articles', async () => {
  const ann = await aUser();
  const { slug } = await anArticle({ by: ann, tagList: ['gone'] });
  await executeGraphql(DeleteArticleDocument, { as: ann, input: { article: { slug } } });
  expect(await tags()).toEqual([]);
  expect(await tag('gone')).toBeNull();
});

test('finds a tag only by its exact name', async () => {
  await anArticle({ tagList: ['Dragon', '__proto__', '%'] });
  expect(await tag('Dragon')).toEqual({ name: 'Dragon', articlesCount: 1 });
  expect(await tag('__proto__')).toEqual({ name: '__proto__', articlesCount: 1 });
  for (const name of ['dragon', ' Dragon', '', 'a\0', '\ud800', '_', '%%']) expect(await tag(name)).toBeNull();
});

test.each([
  ['caf\u00e9', 'cafe\u0301'],
  ['e\u0323\u0302', 'e\u0302\u0323'],
  ['한국', '한국'.normalize('NFD')],
  ['\u00c5ngstrom', '\u212bngstrom'],
])('finds a tag by any spelling of its accents: %j, %j', async (one, other) => {
  const stored = one.normalize('NFC');
  const as = await aUser();
  const post = async (...tagList: string[]) => {
    const input = { title: 'A title', description: 'd', body: 'b', tagList };
    const { data } = await executeGraphql(CreateArticleDocument, { as, input });
    return data.createArticle?.article?.slug ?? '';
  };
  const slug = await post(other, one, 'last');
  expect((await tags()).toSorted()).toEqual(
    [
      [stored, 1],
      ['last', 1],
    ].toSorted(),
  );
  await post(one);
  for (const name of [one, other]) {
    expect(await tag(name)).toEqual({ name: stored, articlesCount: 2 });
    for (const filter of [{ tag: name }, { tagsAny: [name] }, { tagsAll: [name] }, { tagsAll: [one, other] }]) {
      const query = 'query List($filter: ArticleFilter) { articles(filter: $filter) { totalCount } }';
      const { data } = await executeGraphql<any, { filter: object }>(query, { filter });
      expect(data.articles.totalCount, JSON.stringify(filter)).toBe(2);
    }
    expect(await tags({ prefix: name })).toEqual([[stored, 2]]);
  }
  const { data } = await executeGraphql<any, { slug: string }>(
    'query One($slug: String!) { article(by: { slug: $slug }) { tagList } }',
    { slug },
  );
  expect(data.article.tagList).toEqual([stored, 'last']);
});

test.each([
  ['Straße', 'STRASSE'],
  ['ISTANBUL', 'istan'],
  ['istanbul', 'ISTAN'],
  ['ÄRGER', 'ärg'],
  ['ΟΔΥΣΣΕΥΣ', 'ΟΔΥΣ'],
  ['Ｆｕｌｌ', 'FULL'],
  ['❤\ufe0f love', '❤ LO'],
])('finds the tag %j by the prefix %j', async (name, prefix) => {
  await anArticle({ tagList: [name, 'other'] });
  expect((await tags({ prefix })).map(([found]) => found)).toEqual([name]);
});

test('a prefix that is too long, or of which nothing is drawn, finds nothing', async () => {
  await anArticle({ tagList: ['dragon'] });
  for (const prefix of ['x'.repeat(900_000), '\u0301\u0316'.repeat(200_000), '\u200b'])
    expect(await tags({ prefix })).toEqual([]);
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
