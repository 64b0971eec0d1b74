import { describe, expect, test } from 'vitest';
import { LARGE, MOST_CANDIDATES } from '../../src/reading/candidates.ts';
import { anArticle, aUser } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';
import { hostileQueries } from './hostile-queries.ts';

/** The order of what a search finds, its pages, and what it shows of each. */

interface Answer {
  articles: {
    totalCount: number;
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
    edges: { cursor: string; node: { title: string }; textMatches: { field: string; fragment: string }[] }[];
  };
}

const FIELDS = `totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  edges { cursor node { title } textMatches { field fragment } }`;

async function search(query: string, args = 'first: 100') {
  const document = `query ($query: String!) { articles(${args}, filter: { query: $query }) { ${FIELDS} } }`;
  const response = await executeGraphql<Answer, { query: string }>(document, { query });
  expect(response).toSucceed();
  const { edges, ...rest } = response.data.articles;
  return { ...rest, edges, titles: edges.map(({ node }) => node.title) };
}

const matchesOf = async (query: string) =>
  Object.fromEntries((await search(query)).edges[0]?.textMatches.map(({ field, fragment }) => [field, fragment]) ?? []);

describe('what a search finds', () => {
  test('begins with what matches in its title, then tags, then the body; the newest first of what matches alike', async () => {
    await anArticle({ title: 'On rivers' });
    await anArticle({ title: 'In the body', body: 'river '.repeat(200) });
    await anArticle({ title: 'In a tag', tagList: ['river'] });
    await anArticle({ title: 'River' });
    await anArticle({ title: 'A river', body: 'And a river.' });
    await anArticle({ title: 'Words apart', body: 'A river.' });
    expect((await search('river')).titles).toEqual([
      'A river',
      'River',
      'On rivers',
      'In a tag',
      'In the body',
      'Words apart',
    ]);
  });

  test('is in another order when one is given, and in that of relevance only with a query', async () => {
    await anArticle({ title: 'b river' });
    await anArticle({ title: 'a', body: 'river' });
    expect((await search('river', 'orderBy: { field: TITLE, direction: ASC }')).titles).toEqual(['a', 'b river']);
    expect((await search('river', 'orderBy: { field: RELEVANCE, direction: ASC }')).titles).toEqual(['a', 'b river']);
    const without = await executeGraphql('{ articles(orderBy: { field: RELEVANCE }) { totalCount } }', {});
    expect(without.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  test('is paged by cursor and by offset, forward and back, each once, while articles are added and deleted', async () => {
    const ann = await aUser();
    for (let n = 0; n < 25; n += 1) {
      await anArticle({
        by: ann,
        title: n % 5 === 0 ? `River ${n}` : `Title ${n}`,
        body: `${'river '.repeat(1 + (n % 3))}flows`,
      });
    }
    const { titles: all } = await search('river');
    expect(all).toHaveLength(25);
    const pages: string[] = [];
    let args = 'first: 4';
    for (;;) {
      const { titles, pageInfo, totalCount } = await search('river', args);
      pages.push(...titles);
      expect(totalCount).toBeGreaterThanOrEqual(25);
      if (!pageInfo.hasNextPage) break;
      await anArticle({ by: ann, title: `River added ${pages.length}`, body: 'river '.repeat(9) }); // before what was read, since it is the newest
      args = `first: 4, after: "${pageInfo.endCursor}"`;
    }
    expect(pages).toEqual(all);

    await orm.em.execute(`delete from articles where title like 'River added%'`);
    const back: string[] = [];
    args = 'last: 4';
    for (;;) {
      const { titles, pageInfo } = await search('river', args);
      back.unshift(...titles);
      if (!pageInfo.hasPreviousPage) break;
      args = `last: 4, before: "${pageInfo.startCursor}"`;
      // The last of the page, which its cursor still finds the place of.
      await orm.em.execute(`delete from articles where title = ?`, [titles.at(-1)]);
    }
    expect(back).toEqual(all);

    const left = (await search('river')).titles;
    const jumped: string[] = [];
    for (let offset = 0; offset < 24; offset += 5)
      jumped.push(...(await search('river', `first: 5, offset: ${offset}`)).titles);
    expect(jumped).toEqual(left);
  });

  test('of a large blog is ranked among the newest only, of which those with a match in the title are never missing', async () => {
    await pretendRows(LARGE);
    const ann = await aUser();
    await anArticle({ by: ann, title: 'The oldest river' });
    await orm.em.execute(
      `insert into articles (slug, title, description, body, author_id, published_at)
        select 'river-' || n, 'Title ' || n, 'd', 'A river', ?, now() + n * interval '1 s' from generate_series(1, ?) n`,
      [ann.id, MOST_CANDIDATES + 50],
    );
    const { titles, totalCount, pageInfo } = await search('river');
    expect(titles[0]).toBe('The oldest river');
    expect(totalCount).toBe(MOST_CANDIDATES + 51);
    const found = new Set(titles);
    for (let after = pageInfo.endCursor; ; ) {
      const next = await search('river', `first: 100, after: "${after}"`);
      expect(next.titles.filter((title) => found.has(title))).toEqual([]);
      for (const title of next.titles) found.add(title);
      after = next.pageInfo.endCursor;
      if (!next.pageInfo.hasNextPage) break;
    }
    expect(found.size).toBe(MOST_CANDIDATES + 1);
    expect(found.has('Title 1')).toBe(false);
    // Other orders hold all matches.
    const bob = await aUser();
    await anArticle({ by: bob, title: 'Title of Bob', body: 'A river' });
    await orm.em.execute(`update articles set published_at = '2020-01-01Z' where author_id = ?`, [bob.id]);
    expect((await search('river', 'first: 1, orderBy: { field: PUBLISHED_AT, direction: ASC }')).titles).toEqual([
      'Title of Bob',
    ]);
  });

  test.each(['an unfiltered list', 'a list of one author in a large blog'])(
    'in %s has all matches up to the bound, however many of other articles are newer',
    async (list) => {
      const isFiltered = list !== 'an unfiltered list';
      await pretendRows(isFiltered ? LARGE : 0);
      const [ann, bob] = [await aUser(), await aUser()];
      // Of 5,600 articles, matches are among the oldest and the newest.
      await orm.em.execute(
        `insert into articles (slug, title, description, body, author_id, published_at)
          select 'n-' || n, 'Title ' || n, 'd', case when n <= 30 or n > 5580 or (? and n > 3000) then 'A river' else 'A wood' end,
            case when n <= 530 then ?::int else ?::int end, timestamptz '2025-01-01Z' + n * interval '1 s'
          from generate_series(1, 5600) n`,
        [isFiltered, bob.id, ann.id],
      );
      const filter = isFiltered ? `query: "river", author: "${bob.username}"` : 'query: "river"';
      const { data } = await executeGraphql<Answer, object>(
        `{ articles(first: 100, filter: { ${filter} }) { ${FIELDS} } }`,
        {},
      );
      const matches = isFiltered ? 30 : 50;
      expect(data.articles.totalCount).toBe(matches);
      expect(data.articles.edges).toHaveLength(matches);
    },
  );
});

/** What the planner, and the choice of candidates, take for the number of indexed articles. */
const pretendRows = (rows: number) =>
  orm.em.execute(`update pg_class set reltuples = ? where oid = 'article_search'::regclass`, [rows]);

describe('text matches', () => {
  test('show where each field was found, escaped, with accents as they are written', async () => {
    await anArticle({
      title: 'A <b>café</b> & "more"',
      body: `${'Filler. '.repeat(60)}The **Cafés** of \`<Paris>\` ${'more filler. '.repeat(60)}`,
      tagList: ['cafe', 'other'],
    });
    const found = await matchesOf('cafe');
    expect(found).toMatchObject({
      title: 'A &lt;b&gt;<mark>café</mark>&lt;/b&gt; &amp; &quot;more&quot;',
      tags: '<mark>cafe</mark> other',
    });
    expect(found.body).toMatch(/^…Filler.*<mark>Cafés<\/mark> of &lt;Paris&gt; .*…$/);
    expect(found).not.toHaveProperty('description');
  });

  test('mark text without spaces', async () => {
    await anArticle({ title: '東京都庁に行きました' });
    expect(await matchesOf('京都')).toEqual({ title: '東<mark>京都</mark>庁に行きました' });
  });

  test('keep accents and signs beside letters with which no accent forms one character', async () => {
    await anArticle({ title: 'Стра\u0301шно: "needle" — да, <o\u0323\u0300> isn\'t!' });
    expect(await matchesOf('needle')).toEqual({
      title: 'Стра\u0301шно: &quot;<mark>needle</mark>&quot; — да, &lt;\u1ecd\u0300&gt; isn&#39;t!',
    });
    expect((await matchesOf('страшно')).title).toMatch(/^<mark>Стра\u0301шно<\/mark>: /);
  });

  test('leave out a word that is too long for PostgreSQL to search', async () => {
    await anArticle({ body: `Before, beta ${'x'.repeat(3000)} gamma & after` });
    expect(await matchesOf('beta gamma')).toEqual({
      body: expect.stringMatching(/^(…|Before )?<mark>beta<\/mark> +<mark>gamma<\/mark>/),
    });
  });

  test('are empty without a query', async () => {
    await anArticle();
    const response = await executeGraphql<Answer, object>(`{ articles { ${FIELDS} } }`, {});
    expect(response.data.articles.edges).toMatchObject([{ textMatches: [] }]);
  });

  test('have the fields that are selected, under their aliases', async () => {
    await anArticle({ title: 'River' });
    const document = `{ articles(filter: { query: "river" }) { edges { found: textMatches { __typename html: fragment } } } }`;
    const response = await executeGraphql<object, object>(document, {});
    expect(response.data).toEqual({
      articles: { edges: [{ found: [{ __typename: 'TextMatch', html: '<mark>River</mark>' }] }] },
    });
  });
});

test('no query is an error', async () => {
  await anArticle({ title: 'Something 東京', body: 'a'.repeat(5000) });
  for (const query of hostileQueries()) {
    const { totalCount } = await search(query, 'first: 1');
    expect(totalCount, JSON.stringify(query).slice(0, 100)).toBeLessThanOrEqual(1);
  }
}, 120_000);
