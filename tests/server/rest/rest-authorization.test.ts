// @module-tag security
import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../../src/server/rest/routes.ts';
import { rest } from '../../support/realworld.ts';
import { aComment, anArticle, aUser, PASSWORD, type Person } from '../../support/test-data.ts';
import { executeGraphql, orm } from '../../support/test-server.ts';

/** What GraphQL refuses is not reachable through the REST API: who may call what, drafts, and hostile requests. */

type Who = 'guest' | 'signed out' | 'other' | 'owner';

/** The statuses for a guest, for a token whose session has ended, for another user, and for the owner (ann). */
type Row = readonly [path: string, guest: number, signedOut: number, other: number, owner: number];

const everyone = (path: string, status = 200): Row => [path, status, status, status, status];
const onlySignedIn = (path: string, status = 200): Row => [path, 401, 401, status, status];
const onlyOwner = (path: string, status = 200): Row => [path, 401, 401, 403, status];

const ROWS: Record<string, Row> = {
  'POST /users': everyone('/users', 201),
  'POST /users/login': everyone('/users/login'),
  'GET /user': onlySignedIn('/user'),
  'PUT /user': onlySignedIn('/user'),
  'GET /profiles/:username': everyone('/profiles/ann'),
  // Users cannot follow themselves.
  'POST /profiles/:username/follow': ['/profiles/ann/follow', 401, 401, 200, 422],
  'DELETE /profiles/:username/follow': onlySignedIn('/profiles/ann/follow'),
  'GET /articles': everyone('/articles'),
  'GET /articles/feed': onlySignedIn('/articles/feed'),
  'POST /articles': onlySignedIn('/articles', 201),
  'GET /articles/:slug': everyone('/articles/hers'),
  'PUT /articles/:slug': onlyOwner('/articles/hers'),
  'DELETE /articles/:slug': onlyOwner('/articles/hers', 204),
  'POST /articles/:slug/favorite': onlySignedIn('/articles/hers/favorite'),
  'DELETE /articles/:slug/favorite': onlySignedIn('/articles/hers/favorite'),
  'GET /articles/:slug/comments': everyone('/articles/hers/comments'),
  'POST /articles/:slug/comments': onlySignedIn('/articles/hers/comments', 201),
  'DELETE /articles/:slug/comments/:id': onlyOwner('/articles/cems/comments/1', 204),
  'GET /tags': everyone('/tags'),
};

const BODY = {
  article: { title: 'New', description: 'd', body: 'b', tagList: ['one'] },
  comment: { body: 'Well said.' },
};

/** Ann has an article; cem has one with a comment by ann. */
async function aBlog(): Promise<Record<Exclude<Who, 'guest'>, Person>> {
  const [ann, bob, cem] = [await aUser('ann'), await aUser('bob'), await aUser('cem')];
  await anArticle({ by: ann, title: 'Hers' });
  await aComment({ on: await anArticle({ by: cem, title: 'Cems' }), by: ann });
  const gone = await aUser('dan');
  await executeGraphql('mutation { logout { ok } }', { as: gone });
  return { owner: ann, other: bob, 'signed out': gone };
}

/** Everything that a call may change. */
async function contents(): Promise<unknown> {
  const tables = ['users', 'sessions', 'articles', 'comments', 'favorites', 'follows', 'tags', 'article_tags'];
  const em = orm.em.fork();
  const rows = tables.map((table) => em.execute(`select to_jsonb(t) as row from ${table} t order by 1::text`));
  return (await Promise.all(rows)).map((found) => found.map((one) => (one as { row: object }).row));
}

describe('who may call what', () => {
  test('is decided for every call', () => {
    expect(Object.keys(ROWS)).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`));
  });

  const people: Who[] = ['guest', 'signed out', 'other', 'owner'];
  const cases = Object.entries(ROWS).flatMap(([call, [path, ...statuses]]) =>
    people.map((who, index): [number, string, Who, string] => [statuses[index] as number, call, who, path]),
  );
  test.each(cases)('%i is the answer to %s for the %s', async (status, call, who, path) => {
    const blog = await aBlog();
    const before = await contents();
    const [method] = call.split(' ');
    const account = { username: `new`, email: 'new@example.com', password: PASSWORD };
    const user = call.includes('login') ? { email: 'ann@example.com', password: PASSWORD } : account;
    const body = { ...BODY, user: call === 'PUT /user' ? { bio: 'I write.' } : user };
    const answer = await rest(`${method} ${path}`, { body, ...(who !== 'guest' && { token: blog[who].token }) });
    expect(answer.status, JSON.stringify(answer)).toBe(status);
    if (status < 400) return;
    expect(answer.body).toEqual({ errors: expect.any(Object) });
    expect(await contents()).toEqual(before);
  });
});

describe('a draft', () => {
  async function aDraft() {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const article = await anArticle({ by: ann, title: 'Secret', tagList: ['hidden'] });
    await aComment({ on: article, by: bob });
    await rest('POST /articles/secret/favorite', { token: bob.token });
    await rest('POST /profiles/ann/follow', { token: bob.token });
    const draft =
      'mutation { updateArticle(input: { article: { slug: "secret" }, status: DRAFT }) { errors { code } } }';
    expect(await executeGraphql(draft, { as: ann })).toSucceed();
    return { ann, bob };
  }

  test.each([
    'GET /articles/secret',
    'PUT /articles/secret',
    'DELETE /articles/secret',
    'POST /articles/secret/favorite',
    'DELETE /articles/secret/favorite',
    'GET /articles/secret/comments',
    'POST /articles/secret/comments',
    'DELETE /articles/secret/comments/1',
  ])('is not found by others: %s', async (call) => {
    const { bob } = await aDraft();
    const before = await contents();
    const answer = await rest(call, { token: bob.token, body: BODY });
    expect(answer).toEqual(await rest(call.replace('secret', 'nowhere'), { token: bob.token, body: BODY }));
    expect(answer.status).toBe(404);
    expect(await contents()).toEqual(before);
  });

  test('is in no list, of others or of its author', async () => {
    const { ann, bob } = await aDraft();
    for (const token of [undefined, bob.token, ann.token]) {
      for (const query of ['', '?author=ann', '?tag=hidden', '?favorited=bob']) {
        const { body } = await rest(`GET /articles${query}`, token ? { token } : {});
        expect(body, query).toEqual({ articles: [], articlesCount: 0 });
      }
      expect((await rest('GET /tags')).body.tags).toEqual([]);
    }
    expect((await rest('GET /articles/feed', { token: bob.token })).body.articlesCount).toBe(0);
    expect((await rest('GET /articles/secret', { token: ann.token })).status).toBe(200);
  });
});

describe('hostile requests', () => {
  const CORPUS = [
    "' or '1'='1",
    "'; drop table users; --",
    '$1',
    '%00',
    '%2e%2e%2f',
    '\\',
    '<script>alert(1)</script>',
    '__proto__',
    'constructor',
    'NaN',
    '-1',
    '1e999',
    '9'.repeat(400),
    'null',
    '\0',
    '\ud800',
    '\u202e',
    'İ',
    '👩‍👩‍👧‍👦',
    'x'.repeat(3_000), // Node refuses headers that are longer than 16 kB together
  ];
  const LEAKS =
    /node_modules|\/(src|dist)\/\S+\.[jt]s|\bat \S+ \(|stacktrace|SQLSTATE|violates|relation \\"|syntax error at|mikro-?orm|insert into|password_hash|INTERNAL/i;

  /** A documented answer: no fault of the server, no internals, and errors of RealWorld's form. */
  function expectDocumented(call: string, { status, body }: { status: number; body?: any }): void {
    expect(status, call).toBeLessThan(500);
    if (status < 400) return;
    expect(JSON.stringify(body), call).not.toMatch(LEAKS);
    expect(Object.keys(body), call).toEqual(['errors']);
    for (const texts of Object.values(body.errors))
      for (const text of texts as unknown[]) expect(text, call).toBeTypeOf('string');
  }

  test.each(ROUTES.map(({ method, path }) => `${method} ${path}`))('in each place of %s', async (call) => {
    const { token } = await aUser('ann');
    const other = await anArticle({ title: 'Good' });
    await aComment({ on: other, by: await aUser('bob') });
    for (const text of CORPUS) {
      const path = call.replaceAll(/:\w+/g, encodeURIComponent(text.toWellFormed()));
      const value = encodeURIComponent(text.toWellFormed());
      const query = call.startsWith('GET') ? `?tag=${value}&author=${value}&favorited=${value}` : '';
      const user = { username: text, email: text, password: text, bio: text, image: text };
      const article = { title: text, description: text, body: text, tagList: [text] };
      const body = { user, article, comment: { body: text }, [text]: text };
      expectDocumented(`${call} ${text.slice(0, 50)}`, await rest(`${path}${query}`, { token, body }));
      expectDocumented(`${call}?limit`, await rest(`${path}?limit=${value}&offset=${value}`, { token, body }));
    }
  });

  test.each(['POST /users', 'POST /users/login', 'PUT /user', 'POST /articles', 'PUT /articles/good'])(
    'with values of other types in the body of %s',
    async (call) => {
      const ann = await aUser('ann');
      await anArticle({ by: ann, title: 'Good' });
      for (const value of [null, 0, 1.5, true, [], [null], [[]], {}, { a: { b: [] } }, '', ['x', 1], 1e308]) {
        const user = { username: value, email: value, password: value, bio: value, image: value };
        const article = { title: value, description: value, body: value, tagList: value };
        const answer = await rest(call, { token: ann.token, body: { user, article } });
        expectDocumented(`${call} ${JSON.stringify(value)}`, answer);
        for (const key of ['user', 'article']) {
          expectDocumented(call, await rest(call, { token: ann.token, body: { [key]: value } }));
        }
      }
    },
  );

  test('nested so deeply that recursion would overflow', async () => {
    const { token } = await aUser('ann');
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `{"user": {"bio": ${open.repeat(100_000)}1${close.repeat(100_000)}}}`;
      expectDocumented('PUT /user', await rest('PUT /user', { token, body: deep }));
    }
  });
});
