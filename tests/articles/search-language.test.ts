import { afterEach, expect, test } from 'vitest';
import { indexOutdated, setSearchLanguage } from '../../src/articles/search/index-outdated.ts';
import { runBackfills } from '../../src/server/background-backfills.ts';
import { anArticle, aUser } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

const execute = <T>(statement: string) => orm.em.fork().execute<T[]>(statement);

const setLanguage = (language: string) => setSearchLanguage(orm.em.fork(), language);

async function count(query: string): Promise<number> {
  const document = 'query ($query: String!) { articles(filter: { query: $query }) { totalCount } }';
  const response = await executeGraphql<{ articles: { totalCount: number } }, { query: string }>(document, { query });
  return response.data.articles.totalCount;
}

afterEach(() => execute('delete from search_settings'));

test('another language indexes all articles again, and those that are written from then on', async () => {
  await anArticle({ title: 'Die Häuser am Fluss' });
  expect([await count('Haus'), await count('Häuser')]).toEqual([0, 1]);
  await setLanguage('german');
  expect(await indexOutdated(orm.em)).toBe(1);
  await anArticle({ title: 'Das Haus' });
  expect([await count('haus'), await count('häuser')]).toEqual([2, 2]);
  expect(await indexOutdated(orm.em)).toBe(0);
});

test('in no language, words are found as they are written', async () => {
  await anArticle({ title: 'The houses' });
  await setLanguage('simple');
  await indexOutdated(orm.em);
  expect([await count('house'), await count('houses'), await count('the')]).toEqual([0, 1, 1]);
});

test('a run that was stopped is continued by the next', async () => {
  const ann = await aUser();
  await execute(
    `insert into articles (slug, title, description, body, author_id) select n, 'Häuser ' || n, 'd', 'b', ${ann.id} from generate_series(1, 250) n`,
  );
  await setLanguage('german');
  const stop = new AbortController();
  expect(await indexOutdated(orm.em, { signal: stop.signal, onBatch: () => stop.abort() })).toBe(100);
  expect(await count('haus')).toBe(100);
  expect(await indexOutdated(orm.em)).toBe(150);
  expect(await count('haus')).toBe(250);
});

test('articles that were listed without their words are indexed', async () => {
  await anArticle({ title: 'Before the search' });
  await execute(`update article_search set vector = '', language = ''`);
  expect(await count('search')).toBe(0);
  expect(await indexOutdated(orm.em)).toBe(1);
  expect(await count('search')).toBe(1);
});

test('a language that the database does not know is refused with those it knows', async () => {
  await expect(setLanguage('klingon')).rejects.toThrow(/SEARCH_LANGUAGE is "klingon".* english, .*german.* simple/);
});

test('a server with such a language says so once, and indexes in the language that was set before', async () => {
  await anArticle({ title: 'Before the search' });
  await execute(`update article_search set vector = '', language = ''`);
  const lines: string[] = [];
  const log = { error: (line: string) => lines.push(line), info: (line: string) => lines.push(line), warn: lines.push };
  const readiness = { notReadyReason: async () => null };
  const backfills = runBackfills(orm, { readiness, searchLanguage: 'klingon', log } as never);
  await expect.poll(() => count('search'), { timeout: 20_000 }).toBe(1);
  await backfills.close();
  expect(lines.filter((line) => line.includes('klingon'))).toEqual([
    expect.stringMatching(
      /^SEARCH_LANGUAGE is "klingon"; the database has these: .*english.*\. Searching in the language/,
    ),
  ]);
});
