// @module-tag security
import { fingerprintSync, loadModule } from 'libpg-query';
import { beforeEach, expect, test } from 'vitest';
import { aSmallBlog } from '../../reading/small-blog.ts';
import { statementsDuring } from '../../support/statements.ts';
import { scaled, seed, seededRandom, sendQuery } from './rig.ts';

/**
 * Input is a value in a statement, never part of its syntax: with any payload, PostgreSQL's own parser reads the same
 * statements, except for the values. MikroORM writes the values of mutations into the text, quoted.
 */

await loadModule();

const PLACES: Record<string, string> = {
  'a tag': 'query($x: String) { articles(filter: { tag: $x }) { totalCount } }',
  'several tags': 'query($x: String!) { articles(filter: { tagsAny: [$x], tagsAll: [$x] }) { totalCount } }',
  'a name': 'query($x: String!) { user(by: { username: $x }) { bio } }',
  'an author and a fan': 'query($x: String) { articles(filter: { author: $x, favoritedBy: $x }) { nodes { slug } } }',
  'a slug': 'query($x: String!) { article(by: { slug: $x }) { title } }',
  'an id': 'query($x: ID!) { node(id: $x) { id } }',
  'a prefix': 'query($x: String) { tags(prefix: $x) { nodes { name } } }',
  'a cursor': 'query($x: String) { articles(after: $x) { nodes { slug } } }',
  'an address': 'mutation($x: String!) { login(input: { email: $x, password: "x" }) { errors { code } } }',
  'a refresh token': 'mutation($x: String!) { refreshSession(input: { refreshToken: $x }) { errors { code } } }',
  'an article': `mutation($x: String!) {
    createArticle(input: { title: "t", description: $x, body: $x, tagList: [$x] }) { article { body } errors { code } }
  }`,
  'a profile': 'mutation($x: String) { updateViewer(input: { bio: $x }) { viewer { user { bio } } errors { code } } }',
  'a comment': `mutation($x: String!) {
    addComment(input: { article: { slug: "article-1" }, body: $x }) { comment { body } errors { code } }
  }`,
  'a follow': 'mutation($x: String!) { followUser(input: { user: { username: $x } }) { errors { code } } }',
};
const HARMLESS = [
  'red',
  'ann',
  'bob',
  'article-1',
  'nothing',
  '',
  ' ',
  'QXJ0aWNsZTox',
  'VXNlcjox',
  'https://a.example',
];

const STARTS = [
  "'",
  '"',
  "')",
  '")',
  "'))",
  '`',
  '$$',
  "\\'",
  '%',
  '1',
  ';',
  '?',
  '$1',
  ':x',
  "E'\\",
  'red',
  '\u02bc',
  '\uff07',
  '/*',
];
const MIDDLES = [
  ' or 1=1',
  ' or true',
  ' and 1=0 union select null, null',
  ' union all select password_hash from users',
  '; drop table users',
  '; select pg_sleep(5)',
  ' || (select 1)',
  ' or pg_sleep(5) is null',
  ' order by 99',
  " like '%",
  '; update users set bio = null',
  ' returning *',
  '::int',
  ' or exists(select 1)',
  ' limit 1 offset 1',
  ', (select version())',
  ' ?? ',
  ' @> ',
];
const ENDS = ['--', ' -- ', '#', '/*', '*/', ';', "'", '"', ')', '\n', '\\', '', "='", '$$'];

let token = '';
beforeEach(async () => {
  token = (await aSmallBlog())[0]?.token ?? '';
});

const statementsFor = async (query: string, x: string) => {
  const headers = { authorization: `Token ${token}` };
  const statements = await statementsDuring(() => sendQuery(query, { x }, headers));
  return statements.map(({ text }) => ({ text, shape: fingerprintSync(text) }));
};

test.each(Object.entries(PLACES))('%s never becomes part of a statement', async (place, query) => {
  const known = new Set<string>();
  for (const x of HARMLESS) for (const { shape } of await statementsFor(query, x)) known.add(shape);
  expect(known.size).toBeGreaterThan(0);
  const random = seededRandom(seed);
  const one = (of: readonly string[]) => of[random(of.length)] as string;
  const count = scaled(500, 50);
  const others = new Set<string>();
  for (let n = 0; n < count; n += 1) {
    const payload = one(STARTS) + one(MIDDLES) + (random(2) ? one(MIDDLES) : '') + one(ENDS);
    for (const { text, shape } of await statementsFor(query, payload))
      if (!known.has(shape)) others.add(`${payload} → ${text}`);
  }
  console.log(`${place}: ${count} payloads, ${known.size} statements, ${others.size} others (seed ${seed})`);
  expect([...others]).toEqual([]);
});
