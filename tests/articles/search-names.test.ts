import { describe, expect, test } from 'vitest';
import { Article } from '../../src/articles/article.entity.ts';
import { nameKey } from '../../src/text/fold-case.ts';
import { statementsDuring } from '../support/statements.ts';
import { anArticle, aUser } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';
import { hostileQueries } from './hostile-queries.ts';

/** What `search` finds among articles, users and tags together. */

interface Answer {
  search: {
    totalCount: number;
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
    edges: { node: Node; textMatches: { field: string; fragment: string }[] }[];
    nodes: unknown[];
  };
}

type Node = { __typename: string; title?: string; username?: string; name?: string };

const FIELDS = `totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  edges { node { ...Found } textMatches { field fragment } }`;

const FOUND = `fragment Found on SearchResult {
  __typename ... on Article { title } ... on User { username } ... on Tag { name }
}`;

async function search(query: string, { args = 'first: 100', as }: { args?: string; as?: { token: string } } = {}) {
  const document = `query ($query: String!) { search(query: $query, ${args}) { ${FIELDS} } } ${FOUND}`;
  const response = await executeGraphql<Answer, { query: string }>(document, { query, ...(as && { as }) });
  expect(response).toSucceed();
  const { edges, ...rest } = response.data.search;
  return { ...rest, edges, found: edges.map(({ node }) => shown(node)) };
}

const shown = ({ __typename, title, username, name }: Node) => `${__typename} ${title ?? username ?? name}`;

const find = async (query: string, args?: string) => (await search(query, args ? { args } : {})).found;

/** Tags that a published article carries. */
async function tags(...names: string[]) {
  const by = await aUser();
  for (let first = 0; first < names.length; first += 20) {
    await anArticle({ by, tagList: names.slice(first, first + 20) });
  }
}

const USERS = 'kinds: [USER]';
const TAGS = 'kinds: [TAG]';

describe('a search of everything', () => {
  test('finds articles, users and tags: names that equal the query or begin with it, articles by relevance, similar names', async () => {
    const ann = await aUser('Rivera');
    await aUser('driver');
    await anArticle({ by: ann, title: 'On foot', body: 'Along the river.', tagList: ['river', 'riverbank'] });
    await anArticle({ by: ann, title: 'The river' });
    expect(await find('river')).toEqual([
      'Tag river',
      'User Rivera',
      'Tag riverbank',
      'Article The river',
      'Article On foot',
      'User driver',
    ]);
    expect(await find('river', 'kinds: [USER, TAG, USER]')).toEqual([
      'Tag river',
      'User Rivera',
      'Tag riverbank',
      'User driver',
    ]);
    expect(await find('river', 'kinds: [ARTICLE]')).toEqual(['Article The river', 'Article On foot']);
  });

  test('finds nothing without a kind, and for a blank query', async () => {
    await aUser('river');
    expect(await search('river', { args: 'kinds: []' })).toMatchObject({
      found: [],
      totalCount: 0,
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
    for (const query of ['', '  ', '""']) expect(await search(query)).toMatchObject({ found: [], totalCount: 0 });
  });

  test('shows where it was found, escaped', async () => {
    await aUser('Zoë<b>&');
    await tags('Zoé');
    await anArticle({ title: 'A zoe' });
    const { edges } = await search('zoe');
    expect(edges.map(({ node, textMatches }) => [shown(node), ...textMatches])).toEqual([
      ['Tag Zoé', { field: 'name', fragment: '<mark>Zoé</mark>' }],
      ['User Zoë<b>&', { field: 'username', fragment: '<mark>Zoë</mark>&lt;b&gt;&amp;' }],
      ['Article A zoe', { field: 'title', fragment: 'A <mark>zoe</mark>' }],
      [expect.stringMatching(/^Article/), { field: 'tags', fragment: '<mark>Zoé</mark>' }],
    ]);
  });

  test('takes one statement, whatever is selected', async () => {
    await aUser('river');
    await anArticle({ title: 'River', tagList: ['river'] });
    let found: string[] = [];
    const statements = await statementsDuring(async () => {
      found = (await search('river')).found;
    });
    expect(found).toHaveLength(3);
    expect(statements).toHaveLength(1);
  });

  test('reads the fields of each kind as everywhere else, and its interfaces too', async () => {
    const ann = await aUser('river');
    await anArticle({ by: ann, title: 'River', tagList: ['river'] });
    const document = `query ($query: String!) { search(query: $query) { nodes {
      ... on Node { id } ... on User { name: username isViewer articles { totalCount } }
      ... on Article { author { username } tagList } ... on Tag { articlesCount }
    } } }`;
    const response = await executeGraphql<Answer, { query: string }>(document, { query: 'river', as: ann });
    expect(response.data.search.nodes).toEqual([
      { id: expect.any(String), name: 'river', isViewer: true, articles: { totalCount: 1 } },
      { id: expect.any(String), articlesCount: 1 },
      { id: expect.any(String), author: { username: 'river' }, tagList: ['river'] },
    ]);
  });
});

describe('names', () => {
  test.each([
    ['by how they begin, the shortest first', 'graph', ['graph', 'graphs', 'graphql']],
    ['ignoring case', 'RUS', ['rust']],
    ['and accents in the query', 'rús', ['rust']],
    ['and accents in the name', 'uber', ['Über', 'ubersetzung']],
    ['and letters with a stroke', 'lodz', ['Łódź']],
    ['and ligatures, width and ß', 'ｓtrasse', ['Straße']],
    ['with the signs that they have', 'c+', ['c++']],
    ['of scripts without spaces', '東', ['東京']],
    ['of Hangul, also before a syllable is complete', '하', ['한국어']],
    ['with spaces, and in quotes', '"open  source"', ['open source']],
  ])('are found %s', async (_, query, found) => {
    await tags(
      'graphql',
      'graph',
      'graphs',
      'Über',
      'ubersetzung',
      'Łódź',
      'Straße',
      'c++',
      'c#',
      '東京',
      '한국어',
      'open source',
      'rust',
    );
    expect(await find(query, TAGS)).toEqual(found.map((name) => `Tag ${name}`));
  });

  test.each([
    ['one letter wrong', 'tipescript'],
    ['one letter missing', 'typscript'],
    ['one letter too many', 'typeescript'],
    ['two letters swapped', 'typesrcipt'],
    ['another accent', 'typéscrípt'],
    ['only its end', 'script'],
    ['a part of it', 'pescri'],
    ['letters more', 'typescripts'],
  ])('are found with %s', async (_, query) => {
    await tags('typescript', 'tennis', 'gardening', 'rust');
    await aUser('TypeScript');
    await aUser('Gardener');
    expect(await find(query, TAGS)).toEqual(['Tag typescript']);
    expect(await find(query, USERS)).toEqual(['User TypeScript']);
  });

  test('that contain or resemble the query come after those that begin with it, the most similar first', async () => {
    for (const name of ['johnsmith', 'smithe', 'smyth', 'smith', 'smithereens', 'blacksmith', 'jones'])
      await aUser(name);
    const found = await find('smith', USERS);
    expect(found.slice(0, 3)).toEqual(['User smith', 'User smithe', 'User smithereens']);
    expect(found.slice(3)).toEqual(['User johnsmith', 'User blacksmith', 'User smyth']);
  });

  test('follow when a user is renamed', async () => {
    const { id } = await aUser('before');
    await orm.em
      .fork()
      .execute('update users set username = ?, username_key = ? where id = ?', ['After', nameKey('After'), id]);
    expect([await find('before', USERS), await find('after', USERS)]).toEqual([[], ['User After']]);
  });

  test('are counted, those beyond the bounds too', async () => {
    await orm.em.execute(
      `insert into users (username, username_key, email, email_key, password_hash)
        select name, name, name, name, '-' from (select 'river' || n as name from generate_series(1, 600) n) as names`,
    );
    const { totalCount, found } = await search('river', { args: USERS });
    expect([totalCount, found.length]).toEqual([600, 20]);
    let listed = 0;
    for (let args = `${USERS}, first: 100`; args; ) {
      const { found: page, pageInfo } = await search('river', { args });
      listed += page.length;
      args = pageInfo.hasNextPage ? `${USERS}, first: 100, after: "${pageInfo.endCursor}"` : '';
    }
    expect(listed).toBe(500);
  });
});

describe('drafts', () => {
  test('are not found, nor counted, nor are tags that only drafts carry, also not by their author', async () => {
    const ann = await aUser('ann');
    const { id } = await anArticle({ by: ann, title: 'Secret river', tagList: ['secret', 'secrets'] });
    await anArticle({ by: ann, title: 'Public', tagList: ['secrets'] });
    const em = orm.em.fork();
    const article = await em.findOneOrFail(Article, id);
    await em.execute(`update articles set status = 'DRAFT' where id = ?`, [article.id]);
    for (const as of [undefined, ann]) {
      for (const query of ['secret', 'secret river', 'sekret', 'ecret']) {
        const { found, totalCount } = await search(query, as ? { as } : {});
        expect(
          found.filter((name) => !['Tag secrets', 'Article Public'].includes(name)),
          query,
        ).toEqual([]);
        expect(totalCount, query).toBe(found.length);
      }
    }
    expect(await find('secret')).toEqual(['Tag secrets', 'Article Public']);
  });
});

describe('pages of a search of everything', () => {
  test('hold each result once, forward, back and by offset, while rows change', async () => {
    const ann = await aUser('river');
    for (let n = 0; n < 8; n += 1) {
      await aUser(`river${n}`);
      await aUser(`the-river-${n}`);
      await anArticle({ by: ann, title: n % 2 ? `River ${n}` : `n ${n}`, body: 'A river', tagList: [`river${n}`] });
    }
    const { found: all, totalCount } = await search('river');
    expect([all.length, new Set(all).size, totalCount]).toEqual([33, 33, 33]);

    const forward: string[] = [];
    for (let args = 'first: 4'; args; ) {
      const { found, pageInfo } = await search('river', { args });
      forward.push(...found);
      expect(pageInfo.hasPreviousPage).toBe(args !== 'first: 4');
      // Before what was read, since nothing is a better match.
      await anArticle({ by: ann, title: `River river ${forward.length}`, body: 'river '.repeat(9) });
      await orm.em.execute(`update tags set articles_count = articles_count + 7 where name = 'river5'`);
      args = pageInfo.hasNextPage ? `first: 4, after: "${pageInfo.endCursor}"` : '';
    }
    const added = (name: string) => name.startsWith('Article River river');
    expect(forward.filter((name) => !added(name))).toEqual(all);

    await orm.em.execute(`delete from articles where title like 'River river%'`);
    const back: string[] = [];
    for (let args = 'last: 5'; args; ) {
      const { found, pageInfo } = await search('river', { args });
      back.unshift(...found);
      // Its cursor still says where the page began.
      if (found[0]?.startsWith('User ')) {
        await orm.em.execute('delete from users where username = ?', [found[0].slice(5)]);
      }
      args = pageInfo.hasPreviousPage ? `last: 5, before: "${pageInfo.startCursor}"` : '';
    }
    expect(back).toEqual(all);

    const { found: left } = await search('river');
    const jumped: string[] = [];
    for (let offset = 0; offset < left.length; offset += 7) {
      jumped.push(...(await search('river', { args: `first: 7, offset: ${offset}` })).found);
    }
    expect(jumped).toEqual(left);
  });

  test('go on after a cursor when other kinds are asked for', async () => {
    for (const name of ['river', 'river1', 'river2']) await aUser(name);
    await tags('river', 'river1');
    const { pageInfo } = await search('river', { args: 'first: 3' });
    const next = await search('river', { args: `${USERS}, after: "${pageInfo.endCursor}"` });
    expect(next.found).toEqual(['User river1']);
  });

  test('refuse the cursor of another list', async () => {
    await aUser('river');
    const tagged = await executeGraphql<{ articles: Answer['search'] }, object>(
      '{ articles { pageInfo { endCursor } } }',
      {},
    );
    expect(tagged).toSucceed();
    const cursor = Buffer.from('["PUBLISHED_AT DESC","2026-01-01T00:00:00.000Z",1]').toString('base64url');
    const response = await executeGraphql(`{ search(query: "river", after: "${cursor}") { totalCount } }`, {});
    expect(response.errors).toMatchObject([
      { message: expect.stringContaining('is a cursor of PUBLISHED_AT DESC'), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });
});

describe('the cost of a search', () => {
  const costOf = async (selection: string) => {
    const response = await executeGraphql(`{ search(query: "river"${selection} } }`, {});
    const { cost } = (response as unknown as { extensions: { cost: { requested: number } } }).extensions;
    return cost.requested;
  };

  test('is that of the candidates and of the names, with the results, and of a table for their number', async () => {
    const base = await costOf(') { __typename');
    expect(base).toBe(702);
    expect(await costOf(', first: 10) { nodes { __typename }')).toBe(base + 10);
    expect(await costOf(') { totalCount')).toBe(base + 1_000);
  });

  test('allows seven in an operation, not eight', async () => {
    const times = (count: number) =>
      `{ ${Array.from({ length: count }, (_, n) => `s${n}: search(query: "a", first: 1) { nodes { __typename } }`).join(' ')} }`;
    expect(await executeGraphql(times(7), {})).toSucceed();
    expect((await executeGraphql(times(8), {})).errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }]);
  });
});

test('no query is an error', async () => {
  await anArticle({ title: 'Something 東京', body: 'a'.repeat(5000), tagList: ['something', '東京', '😀'] });
  await aUser('something');
  for (const query of [...hostileQueries(), '\u{10ffff}', '\u0301'.repeat(400), '%'.repeat(50), 'ab'.repeat(200)]) {
    const { totalCount, found } = await search(query);
    expect(found.length, JSON.stringify(query).slice(0, 100)).toBe(totalCount);
  }
}, 120_000);
