import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { Readiness } from '../../../src/server/http/health.ts';
import { LoadShedder } from '../../../src/server/http/load-shedding.ts';
import { publishedHashes } from '../../../src/server/operations/published-operations.ts';
import { ROUTES } from '../../../src/server/rest/routes.ts';
import { buildServer } from '../../../src/server/server.ts';
import { rest } from '../../support/realworld.ts';
import { statementsDuring } from '../../support/statements.ts';
import { aComment, anArticle, aUser, PASSWORD } from '../../support/test-data.ts';
import { address, executeGraphql, orm, post, settings } from '../../support/test-server.ts';

/** What frontends need of the REST API beside RealWorld's specification, which tests/realworld.test.ts has. */

const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
  fetch(`${address}/api${path}`, { method, headers, ...(body !== undefined && { body }) });

/** A server of its own with other settings; the answer of one call. */
async function answerWith(changed: object, url = '/api/tags', parts: object = {}) {
  const own = await buildServer({
    em: orm.em,
    log: pino({ level: 'silent' }),
    settings: { ...settings, ...changed },
    readiness: new Readiness(orm, null, 'not checked'),
    ...parts,
  });
  const { statusCode, headers, body } = await own.inject({ url });
  await own.close();
  return { status: statusCode, headers, body: JSON.parse(body) };
}

describe('bodies', () => {
  test('may have fields that a call does not know', async () => {
    const user = { username: 'ann', email: 'ann@example.com', password: PASSWORD, bio: 'x', id: 7, isAdmin: true };
    const registered = await rest('POST /users', { body: { user, more: 1 } });
    expect(registered).toMatchObject({ status: 201, body: { user: { username: 'ann', bio: null } } });
    const { token } = registered.body.user;
    const article = { title: 'One', description: 'd', body: 'b', slug: 'mine', favoritesCount: 9, author: 'bob' };
    const made = await rest('POST /articles', { token, body: { article } });
    expect(made).toMatchObject({ status: 201, body: { article: { slug: 'one', favoritesCount: 0 } } });
    const changed = await rest('PUT /articles/one', {
      token,
      body: { article: { ...made.body.article, body: 'new' } },
    });
    expect(changed).toMatchObject({ status: 200, body: { article: { slug: 'one', body: 'new' } } });
    const comment = await rest('POST /articles/one/comments', { token, body: { comment: { body: 'Yes.', id: 99 } } });
    expect(comment).toMatchObject({ status: 201, body: { comment: { body: 'Yes.' } } });
    const kept = await rest('PUT /user', { token, body: { user: registered.body.user } });
    expect(kept).toMatchObject({ status: 200, body: registered.body });
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a list', []],
    ['a text', '"user"'],
    ['an object without the key', {}],
    ['a list under the key', { user: ['ann'] }],
  ])('of %s have no field', async (_, body) => {
    expect(await rest('POST /users', { body })).toEqual({
      status: 422,
      body: { errors: { username: ["can't be blank"], email: ["can't be blank"], password: ["can't be blank"] } },
    });
  });

  test('with a value of another type get 422 with its field', async () => {
    const { token } = await aUser('ann');
    const article = { title: 7, description: { a: 1 }, body: 'b', tagList: ['one', 2] };
    const invalid = ['is invalid'];
    expect(await rest('POST /articles', { token, body: { article } })).toEqual({
      status: 422,
      body: { errors: { title: invalid, description: invalid, tagList: invalid } },
    });
  });

  test('may be missing although their type is named', async () => {
    await anArticle({ title: 'Good' });
    const { token } = await aUser('bob');
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      const headers = { authorization: `Token ${token}`, 'content-type': type };
      expect((await send('POST', '/articles/good/favorite', headers, '')).status, type).toBe(200);
      expect((await send('DELETE', '/articles/good/favorite', headers)).status, type).toBe(200);
    }
  });

  test.each([
    ['is no http(s) address', 'smiley-cyrus'],
    ['is a path', '/avatar.png'],
    ['is of another scheme', 'data:image/png;base64,AA=='],
    ['would run a script', 'javascript:alert(1)'],
  ])('with an image that %s store none', async (_, image) => {
    const { token } = await aUser('ann');
    await rest('PUT /user', { token, body: { user: { image: 'https://example.com/ann.png' } } });
    const changed = await rest('PUT /user', { token, body: { user: { image } } });
    expect(changed).toMatchObject({ status: 200, body: { user: { image: null } } });
  });
});

test('an article called Feed has a path of its own', async () => {
  const { token } = await aUser();
  const article = { title: 'Feed', description: 'd', body: 'b' };
  const { body } = await rest('POST /articles', { token, body: { article } });
  expect(await rest(`GET /articles/${body.article.slug}`, {})).toMatchObject({ status: 200, body: { article } });
});

describe('errors always have the form of RealWorld', () => {
  const jsonType = { 'content-type': 'application/json' };
  test.each<
    [status: number, key: string, method: string, path: string, headers?: Record<string, string>, body?: string]
  >([
    [404, 'path', 'GET', '/nothing'],
    [404, 'path', 'GET', ''],
    [404, 'path', 'PATCH', '/user'],
    [404, 'path', 'DELETE', '/users'],
    [400, 'path', 'GET', '/articles/%zz'],
    [400, 'body', 'POST', '/users', jsonType, '{"user"'],
    [400, 'body', 'POST', '/users', jsonType, '{"__proto__": {}}'],
    [413, 'body', 'POST', '/users', jsonType, JSON.stringify({ user: { username: 'x'.repeat(1_600_000) } })],
    [415, 'content-type', 'POST', '/users', { 'content-type': 'text/plain' }, 'user'],
    [415, 'content-type', 'POST', '/users', { 'content-type': 'application/x-www-form-urlencoded' }, 'user=ann'],
    [415, 'content-type', 'POST', '/users', { 'content-type': 'application/json; charset=latin1' }, '{}'],
    [415, 'content-type', 'POST', '/users', { ...jsonType, 'content-encoding': 'gzip' }, '{}'],
    [422, 'limit', 'GET', '/articles?limit=0'],
    [422, 'limit', 'GET', '/articles?limit=101'],
    [422, 'limit', 'GET', '/articles?limit=99999999999'],
    [422, 'limit', 'GET', '/articles?limit=ten'],
    [422, 'offset', 'GET', '/articles?offset=-1'],
    [422, 'offset', 'GET', '/articles?offset=10001'],
  ])('%i %s: %s %s', async (status, key, method, path, headers, body) => {
    const response = await send(method, path, headers, body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual({ errors: { [key]: [expect.stringMatching(/./)] } });
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  const unavailable = { errors: { server: [expect.stringMatching(/./)] } };

  test('503 when the server has too much to do, or the database is away', async () => {
    const full = new LoadShedder({ maxInFlight: 0, maxWaitMilliseconds: 1 });
    const readiness = Object.assign(new Readiness(orm, null, 'not checked'), { unavailableReason: async () => 'away' });
    for (const parts of [{ loadShedder: full }, { readiness }]) {
      const { status, headers, body } = await answerWith({}, '/api/tags', parts);
      expect([status, headers['retry-after'], body]).toEqual([503, '1', unavailable]);
    }
  });

  test('503 when a call takes too long', async () => {
    const readiness = Object.assign(new Readiness(orm, null, 'not checked'), {
      unavailableReason: () => new Promise(() => {}),
    });
    const { status, headers, body } = await answerWith({ requestTimeoutSeconds: 0.01 }, '/api/tags', { readiness });
    expect([status, headers['retry-after'], body]).toEqual([503, '1', unavailable]);
  });

  test('429 with the time to wait', async () => {
    const { email } = await aUser('ann');
    const attempt = () =>
      send('POST', '/users/login', jsonType, JSON.stringify({ user: { email, password: 'not her password' } }));
    for (let count = 0; count < 10; count += 1) expect((await attempt()).status).toBe(401);
    const response = await attempt();
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toEqual({ errors: { request: [expect.stringContaining('Too many')] } });
  });

  test('422 for a wrong password in a change of the account, since 401 would sign out', async () => {
    const { token } = await aUser('ann');
    await orm.em.fork().execute(`update sessions set opened_at = now() - interval '1 hour'`);
    const change = (user: object) => rest('PUT /user', { token, body: { user: { password: 'another one', ...user } } });
    expect(await change({})).toEqual({ status: 422, body: { errors: { currentPassword: ["can't be blank"] } } });
    expect(await change({ currentPassword: 'wrong' })).toEqual({
      status: 422,
      body: { errors: { currentPassword: ['invalid'] } },
    });
    expect(await change({ currentPassword: PASSWORD })).toMatchObject({ status: 200, body: { user: { token } } });
    expect((await rest('GET /user', { token })).status).toBe(200);
  });
});

describe('lists', () => {
  test('of comments are whole past a page, the oldest first, up to a thousand', async () => {
    const ann = await aUser('ann');
    const article = await anArticle({ by: ann, title: 'Good' });
    const { id } = await aComment({ on: article, by: ann });
    const copies = (count: number) =>
      orm.em.fork().execute(
        `insert into comments (article_id, author_id, body, created_at, updated_at)
         select article_id, author_id, 'Copy ' || number, created_at + number * interval '1 second', updated_at
         from comments, generate_series(1, ${count}) as number where id = ${id}`,
      );
    await copies(249);
    const { comments } = (await rest('GET /articles/good/comments')).body;
    expect(comments).toHaveLength(250);
    expect(comments.map(({ body }: { body: string }) => body).slice(1)).toEqual(
      Array.from({ length: 249 }, (_, index) => `Copy ${index + 1}`),
    );
    await copies(800);
    expect((await rest('GET /articles/good/comments')).body.comments).toHaveLength(1000);
  });

  test('of tags are whole past a page', async () => {
    const ann = await aUser('ann');
    const names = Array.from({ length: 120 }, (_, index) => `tag ${index}`);
    for (let from = 0; from < 120; from += 20) await anArticle({ by: ann, tagList: names.slice(from, from + 20) });
    expect((await rest('GET /tags')).body.tags.toSorted()).toEqual(names.toSorted());
  });

  test('of comments have a placeholder for an author whose account is gone', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const article = await anArticle({ by: ann, title: 'Good' });
    await aComment({ on: article, by: bob });
    await executeGraphql(`mutation { deleteViewer(input: { password: "${PASSWORD}" }) { errors { code } } }`, {
      as: bob,
    });
    const { comments } = (await rest('GET /articles/good/comments')).body;
    const author = { username: '[deleted] ', bio: null, image: null, following: false };
    expect(comments).toMatchObject([{ body: 'Well said.', author }]);
    const user = { username: author.username, email: 'deleted@example.com', password: PASSWORD };
    expect(await rest('POST /users', { body: { user } })).toMatchObject({
      status: 422,
      body: { errors: { username: ['is invalid'] } },
    });
  });

  test('ignore empty and repeated parameters', async () => {
    await anArticle({ title: 'One', tagList: ['red'] });
    await anArticle({ title: 'Two' });
    expect((await rest('GET /articles?tag=&author=&favorited=&limit=&offset=')).body.articlesCount).toBe(2);
    expect((await rest('GET /articles?tag=red&tag=blue')).body.articlesCount).toBe(1);
  });
});

describe('in browsers', () => {
  const origin = 'https://blog.example';
  test.each(['GET', 'POST', 'PUT', 'DELETE'])('pages of allowed origins may %s with a token', async (method) => {
    const response = await send('OPTIONS', '/user', {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type',
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('access-control-allow-methods')).toContain(method);
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
  });

  test('reads are revalidated, and private when signed in', async () => {
    const { token } = await aUser('ann');
    await anArticle({ title: 'Good' });
    const guest = await send('GET', '/articles');
    expect(guest.headers.get('cache-control')).toBe('public, no-cache');
    expect(guest.headers.get('vary')).toContain('Authorization');
    const again = await send('GET', '/articles', { 'if-none-match': guest.headers.get('etag') ?? '' });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const own = await send('GET', '/user', { authorization: `Token ${token}` });
    expect(own.headers.get('cache-control')).toBe('private, no-cache');
    const head = await send('HEAD', '/articles');
    expect([head.status, head.headers.get('etag')]).toEqual([200, guest.headers.get('etag')]);
  });
});

describe('each call runs one published operation', () => {
  test('of its own', () => {
    const operations = ROUTES.map(({ operation }) => operation);
    expect(new Set(operations).size).toBe(ROUTES.length);
    const published = [...publishedHashes().keys()].filter((name) => name.startsWith('Rest'));
    expect(operations.toSorted()).toEqual(published.toSorted());
  });

  test('also when only published documents are trusted', async () => {
    expect(await answerWith({ trustedDocumentsOnly: true })).toMatchObject({ status: 200, body: { tags: [] } });
  });

  test('and a documentId of the client has no effect', async () => {
    const hash = publishedHashes().get('RestTags');
    const response = await send('GET', `/articles?documentId=sha256:${hash}`);
    expect(await response.json()).toEqual({ articles: [], articlesCount: 0 });
    expect((await send('GET', '/articles?documentId=nonsense')).status).toBe(200);
  });

  const withoutInput = { slug: 'good', username: 'ann', first: 20 };
  test.each(ROUTES.map(({ method, path, operation }) => [`${method} ${path}`, operation]))(
    '%s with the statements of %s',
    async (call, operation) => {
      const [ann, bob] = [await aUser('ann'), await aUser('bob')];
      const own = await anArticle({ by: bob, title: 'Own' });
      const good = await anArticle({ by: ann, title: 'Good' });
      const [first, second] = [await aComment({ on: good, by: bob }), await aComment({ on: good, by: bob })];
      const isOwn = /^(PUT|DELETE) \/articles\/:slug$/.test(call);
      const body = {
        user: { username: 'cyd', email: call.includes('login') ? ann.email : 'cyd@example.com', password: PASSWORD },
        article: { title: 'New', description: 'd', body: 'b', tagList: ['one'] },
        comment: { body: 'Well said.' },
      };
      const { token } = bob;
      const isPut = call === 'PUT /user';
      // Signing in from an address for the first time writes more.
      if (operation === 'RestLogin') await rest(call, { body });
      const path = call
        .replace(':slug', isOwn ? own.slug : 'good')
        .replace(':username', 'ann')
        .replace(':id', String(first.id));
      const byRest = await statementsDuring(async () => {
        const { status } = await rest(path, { token, body: isPut ? { user: { bio: 'One.' } } : body });
        expect(status).toBeLessThan(300);
      });
      const again = await anArticle({ by: bob, title: 'Own again' });
      const inputs: Record<string, object> = {
        RestRegister: { ...body.user, username: 'dan', email: 'dan@example.com' },
        RestLogin: { email: body.user.email, password: PASSWORD },
        RestUpdateUser: { bio: 'Two.' },
        RestFollow: { user: { username: 'ann' } },
        RestUnfollow: { user: { username: 'ann' } },
        RestCreateArticle: { ...body.article, title: 'Newer' },
        RestUpdateArticle: { article: { slug: again.slug }, ...body.article, title: 'Newest' },
        RestDeleteArticle: { article: { slug: again.slug } },
        RestFavorite: { article: { slug: 'good' } },
        RestUnfavorite: { article: { slug: 'good' } },
        RestAddComment: { article: { slug: 'good' }, body: 'Well said.' },
        RestDeleteComment: { comment: { inArticle: { slug: 'good', databaseId: second.id } } },
      };
      if (operation === 'RestFollow') await rest('DELETE /profiles/ann/follow', { token });
      if (operation === 'RestFavorite') await rest('DELETE /articles/good/favorite', { token });
      const variables = inputs[operation] ? { input: inputs[operation] } : withoutInput;
      const documentId = `sha256:${publishedHashes().get(operation)}`;
      const byGraphql = await statementsDuring(async () => {
        const { body: result } = await post({ documentId, variables }, { authorization: `Token ${token}` });
        expect(result).toSucceed();
      });
      const texts = (statements: readonly { text: string }[]) => statements.map(({ text }) => text);
      if (inputs[operation]) expect(byRest).toHaveLength(byGraphql.length);
      else expect(texts(byRest)).toEqual(texts(byGraphql));
    },
  );
});

describe('REST_API=off', () => {
  test('serves none of it', async () => {
    const { status, body } = await answerWith({ rest: false });
    expect(status).toBe(404);
    expect(body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect((await answerWith({ rest: false }, '/')).body).not.toHaveProperty('rest');
    expect((await answerWith({}, '/')).body).toMatchObject({ rest: '/api/openapi.json' });
  });
});
