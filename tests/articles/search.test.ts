import { describe, expect, test } from 'vitest';
import { Article } from '../../src/articles/article.entity.ts';
import { anArticle, articleBody, aUser } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

const FIND = `query ($query: String!) { articles(first: 50, filter: { query: $query }) { totalCount nodes { title } } }`;

interface Found {
  articles: { totalCount: number; nodes: { title: string }[] };
}

async function find(query: string): Promise<string[]> {
  const response = await executeGraphql<Found, { query: string }>(FIND, { query });
  expect(response).toSucceed();
  const { totalCount, nodes } = response.data.articles;
  expect(totalCount).toBe(nodes.length);
  return nodes.map(({ title }) => title);
}

describe('a search', () => {
  test('finds an article by any word of its title, description, tags and body', async () => {
    await anArticle({
      title: 'Trains at dawn',
      tagList: ['railways'],
      body: 'The _last_ **carriage** is [empty](https://x.example/page).',
    });
    await anArticle({ title: 'Another' });
    for (const word of ['trains', 'dawn', 'railways', 'carriage', 'last', 'empty']) {
      expect(await find(word), word).toEqual(['Trains at dawn']);
    }
    expect((await find('about')).toSorted()).toEqual(['Another', 'Trains at dawn']);
    expect(await find('href')).toEqual([]);
  });

  test('finds other forms of a word, ignoring case and accents', async () => {
    await anArticle({ title: 'Les Éléphants de Łódź', body: 'Über running Привет мир, naïve café.' });
    for (const word of [
      'elephant',
      'éléphants',
      'ELEPHANTS',
      'lodz',
      'uber',
      'run',
      'runs',
      'привет',
      'naive',
      'café',
    ]) {
      expect(await find(word), word).toHaveLength(1);
    }
  });

  test('takes all words, phrases in quotes, -words and or', async () => {
    await anArticle({ title: 'Red cars' });
    await anArticle({ title: 'Cars that are not red' });
    await anArticle({ title: 'Blue bikes' });
    expect(await find('"red cars"')).toEqual(['Red cars']);
    expect((await find('red cars')).length).toBe(2);
    expect(await find('cars -"red cars"')).toEqual(['Cars that are not red']);
    expect((await find('"red cars" or bikes')).toSorted()).toEqual(['Blue bikes', 'Red cars']);
    expect(await find('red bikes')).toEqual([]);
  });

  test('finds the parts of words with signs in them', async () => {
    await anArticle({ title: 'Full-text search in Node.js/PostgreSQL', body: '`snake_case` and mail@host.example' });
    for (const word of ['full-text', 'full', 'text', 'node', 'node.js', 'postgresql', 'snake', 'snake_case', 'host']) {
      expect(await find(word), word).toHaveLength(1);
    }
  });

  test.each([
    ['東京都庁に行きました', ['東京', '京都', '東京都', '都庁', '京', '行きました'], ['大阪', '京東']],
    ['我们在学习数据库', ['数据库', '学习', '库'], ['数库']],
    ['한국어 검색을 지원합니다', ['검색', '검색을', '지원'], ['색검']],
    ['PostgreSQL入門カタカナ', ['入門', 'postgresql', 'カタカナ', 'postgresql入門'], ['門入']],
  ])('finds text without spaces by its pairs of letters: %s', async (text, found, missed) => {
    await anArticle({ title: text });
    await anArticle({ title: 'Of its body', body: text });
    for (const query of found) expect(await find(query), query).toHaveLength(2);
    for (const query of missed) expect(await find(query), query).toEqual([]);
  });

  test('follows each change of the text and of the tags, in SQL too', async () => {
    const { id } = await anArticle({ title: 'Before', tagList: ['old', 'kept'] });
    const em = orm.em.fork();
    const article = await em.findOneOrFail(Article, id);
    article.change({ title: 'After', body: await articleBody('New words') });
    await em.flush();
    expect([await find('before'), await find('after'), await find('words')]).toEqual([[], ['After'], ['After']]);
    await orm.em.execute(`delete from article_tags where tag_id = (select id from tags where name = 'old')`);
    expect([await find('old'), await find('kept')]).toEqual([[], ['After']]);
    await orm.em.execute(`insert into tags (name) values ('fresh')`);
    await orm.em.execute(`insert into article_tags (article_id, tag_id) select ?, id from tags where name = 'fresh'`, [
      id,
    ]);
    await orm.em.execute(`update articles set description = 'Sonnet' where id = ?`, [id]);
    expect([await find('fresh'), await find('sonnet')]).toEqual([['After'], ['After']]);
  });

  test('lets a transaction change texts and then the table, once it has indexed them', async () => {
    await anArticle({ title: 'Before' });
    const transaction = (between: string) =>
      orm.em.fork().transactional(async (em) => {
        await em.execute(`update articles set title = 'After'`);
        if (between) await em.execute(between);
        await em.execute('alter table articles add column extra int');
        await em.execute('alter table articles drop column extra');
      });
    await expect(transaction('')).rejects.toThrow(/pending trigger events/);
    await transaction('set constraints all immediate');
    expect([await find('before'), await find('after')]).toEqual([[], ['After']]);
  });

  test('combines with the other filters and orders', async () => {
    const ann = await aUser('ann');
    await anArticle({ by: ann, title: 'Apple pie', tagList: ['food'] });
    await anArticle({ by: ann, title: 'Apple laptop', tagList: ['work'] });
    await anArticle({ title: 'Apple tree', tagList: ['food'] });
    const titles = async (args: string) => {
      const response = await executeGraphql<Found, object>(`{ articles(${args}) { totalCount nodes { title } } }`);
      return response.data.articles.nodes.map(({ title }) => title);
    };
    const byTitle = 'orderBy: { field: TITLE, direction: ASC }';
    expect(await titles(`filter: { query: "apple" }, ${byTitle}`)).toEqual(['Apple laptop', 'Apple pie', 'Apple tree']);
    expect(await titles(`filter: { query: "apple", author: "ann" }, ${byTitle}`)).toEqual([
      'Apple laptop',
      'Apple pie',
    ]);
    expect(await titles(`filter: { query: "apple", author: "ann", tag: "food" }`)).toEqual(['Apple pie']);
    expect(await titles(`filter: { query: "  " }, ${byTitle}`)).toHaveLength(3);
  });

  test('finds the most frequent words of the language in titles, descriptions and tags', async () => {
    await anArticle({ title: 'To be or not to be', tagList: ['the'], body: 'He did' });
    for (const query of ['to', 'to be', '"not to be"', 'the', 'he']) {
      expect(await find(query), query).toEqual(query === 'he' ? [] : ['To be or not to be']);
    }
  });

  test('finds nothing for signs alone', async () => {
    await anArticle();
    for (const query of ['-', '"', '&|!', '😀', 'or', '-or', '""']) expect(await find(query), query).toEqual([]);
  });
});
