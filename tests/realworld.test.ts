import { describe, expect, test } from 'vitest';
import { rest } from './support/realworld.ts';
import { aComment, anArticle, aUser, PASSWORD, reload } from './support/test-data.ts';
import { executeGraphql } from './support/test-server.ts';

/** The requirements of RealWorld's specification and its test collection, call by call. */

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const failsWith = (status: number, key: string, ...messages: string[]) => ({
  status,
  body: { errors: { [key]: messages } },
});
const MISSING = failsWith(401, 'token', 'is missing');

const PRIVATE_CALLS = [
  'GET /user',
  'PUT /user',
  'GET /articles/feed',
  'POST /profiles/nobody/follow',
  'DELETE /profiles/nobody/follow',
  'POST /articles',
  'PUT /articles/nowhere',
  'DELETE /articles/nowhere',
  'POST /articles/nowhere/favorite',
  'DELETE /articles/nowhere/favorite',
  'POST /articles/nowhere/comments',
  'DELETE /articles/nowhere/comments/1',
];

describe('authentication', () => {
  test.each(PRIVATE_CALLS)('%s without a token is 401, before any lookup', async (call) => {
    expect(await rest(call, { body: { user: {}, article: {}, comment: {} } })).toEqual(MISSING);
  });

  test.each(PRIVATE_CALLS)('%s with a bad token is 401', async (call) => {
    const response = await rest(call, { token: 'not.a.token', body: { user: {}, article: {}, comment: {} } });
    expect(response).toEqual(failsWith(401, 'token', 'is invalid or has expired'));
  });

  test.each(['GET /articles', 'GET /articles/good', 'GET /articles/good/comments', 'GET /profiles/ann', 'GET /tags'])(
    '%s with a bad token is the answer for a guest',
    async (call) => {
      const ann = await aUser('ann');
      await aComment({ on: await anArticle({ by: ann, title: 'Good', tagList: ['one'] }), by: ann });
      await rest('POST /articles/good/favorite', { token: ann.token });
      const { token } = await aUser('bob');
      await rest('POST /profiles/ann/follow', { token });
      const guest = await rest(call);
      expect(guest.status).toBe(200);
      expect(await rest(call, { token: 'not.a.token' })).toEqual(guest);
      await executeGraphql('mutation { logout { ok } }', { as: { token } });
      expect(await rest(call, { token })).toEqual(guest);
    },
  );

  test('the token may come as a bearer, and as nothing but a scheme it is none', async () => {
    const { token } = await aUser('ann');
    const user = (authorization: string) => rest('GET /user', { headers: { authorization } });
    expect(await user(`Bearer ${token}`)).toMatchObject({ status: 200, body: { user: { username: 'ann', token } } });
    expect(await user('Token ')).toEqual(MISSING);
    expect(await user('Token undefined')).toEqual(failsWith(401, 'token', 'is invalid or has expired'));
  });
});

describe('POST /users', () => {
  test('creates an account and returns it with a token: 201', async () => {
    const user = { username: 'ann', email: 'ann@example.com', password: 'secret-secret' };
    const response = await rest('POST /users', { body: { user } });
    expect(response).toEqual({
      status: 201,
      body: {
        user: { username: 'ann', email: 'ann@example.com', bio: null, image: null, token: expect.stringMatching(/./) },
      },
    });
    const token = response.body.user.token;
    expect(await rest('GET /user', { token })).toMatchObject({ status: 200, body: { user: { username: 'ann' } } });
  });

  test.each(['username', 'email', 'password'])('refuses a blank %s: 422', async (field) => {
    const user = { username: 'ann', email: 'ann@example.com', password: 'secret-secret' };
    const blank = await rest('POST /users', { body: { user: { ...user, [field]: '' } } });
    expect(blank).toEqual(failsWith(422, field, "can't be blank"));
  });

  test('names every blank field at once', async () => {
    expect(await rest('POST /users', { body: { user: {} } })).toEqual({
      status: 422,
      body: { errors: { username: ["can't be blank"], email: ["can't be blank"], password: ["can't be blank"] } },
    });
  });

  test.each([
    ['username', { username: 'ann', email: 'other@example.com' }],
    ['email', { username: 'other', email: 'ann@example.com' }],
  ])('refuses a taken %s: 409', async (field, taken) => {
    await aUser('ann');
    const response = await rest('POST /users', { body: { user: { ...taken, password: 'secret-secret' } } });
    expect(response).toEqual(failsWith(409, field, 'has already been taken'));
  });
});

describe('POST /users/login', () => {
  test('returns the account with a token: 200', async () => {
    await aUser('ann');
    const response = await rest('POST /users/login', {
      body: { user: { email: 'ann@example.com', password: PASSWORD } },
    });
    expect(response).toMatchObject({
      status: 200,
      body: { user: { username: 'ann', token: expect.stringMatching(/./) } },
    });
  });

  test.each([
    ['email', { email: '', password: PASSWORD }],
    ['password', { email: 'ann@example.com', password: '' }],
  ])('refuses a blank %s: 422', async (field, user) => {
    await aUser('ann');
    expect(await rest('POST /users/login', { body: { user } })).toEqual(failsWith(422, field, "can't be blank"));
  });

  test.each([
    ['password', { email: 'ann@example.com', password: 'not her password' }],
    ['email', { email: 'bob@example.com', password: PASSWORD }],
  ])('does not reveal that the %s is wrong: 401', async (_, user) => {
    await aUser('ann');
    expect(await rest('POST /users/login', { body: { user } })).toEqual(failsWith(401, 'credentials', 'invalid'));
  });
});

describe('PUT /user', () => {
  test('changes given fields, keeps the others and returns a token', async () => {
    const { token } = await aUser('ann');
    const user = { bio: 'I write.', image: 'https://example.com/ann.png' };
    await rest('PUT /user', { token, body: { user } });
    expect(await rest('PUT /user', { token, body: { user: { email: 'new@example.com' } } })).toEqual({
      status: 200,
      body: { user: { ...user, username: 'ann', email: 'new@example.com', token } },
    });
  });

  test.each([
    ['null', null],
    ['""', ''],
  ])('clears bio and image with %s', async (_, nothing) => {
    const { token } = await aUser('ann');
    await rest('PUT /user', { token, body: { user: { bio: 'I write.', image: 'https://example.com/ann.png' } } });
    const cleared = await rest('PUT /user', { token, body: { user: { bio: nothing, image: nothing } } });
    expect(cleared).toMatchObject({ status: 200, body: { user: { bio: null, image: null } } });
    expect(await rest('GET /user', { token })).toMatchObject({ body: { user: { bio: null, image: null } } });
  });

  test.each(
    ['username', 'email', 'password'].flatMap((field) => [
      [field, 'null', null],
      [field, '""', ''],
    ]),
  )('refuses the %s %s: 422', async (field, _, nothing) => {
    const { token } = await aUser('ann');
    const response = await rest('PUT /user', { token, body: { user: { [field as string]: nothing } } });
    expect(response).toEqual(failsWith(422, field as string, "can't be blank"));
    expect(await rest('GET /user', { token })).toMatchObject({ body: { user: { email: 'ann@example.com' } } });
  });

  test('refuses a password of 7 characters: 422', async () => {
    const { token } = await aUser('ann');
    const response = await rest('PUT /user', { token, body: { user: { password: '1234567' } } });
    expect(response).toEqual(failsWith(422, 'password', 'is too short (minimum is 8 characters)'));
  });

  test.each([8, 64])('accepts a password of %i plain characters, which then signs in', async (length) => {
    const { token } = await aUser('ann');
    const password = 'a'.repeat(length);
    const response = await rest('PUT /user', { token, body: { user: { password } } });
    expect(response).toMatchObject({ status: 200, body: { user: { token: expect.stringMatching(/./) } } });
    expect(await rest('GET /user', { token: response.body.user.token })).toMatchObject({ status: 200 });
    const again = await rest('POST /users/login', { body: { user: { email: 'ann@example.com', password } } });
    expect(again.status).toBe(200);
  });
});

describe('profiles', () => {
  test('are public, and guests follow none', async () => {
    await aUser('ann');
    const profile = { username: 'ann', bio: null, image: null, following: false };
    expect(await rest('GET /profiles/ann')).toEqual({ status: 200, body: { profile } });
  });

  test('that do not exist are 404', async () => {
    const { token } = await aUser('ann');
    const notFound = failsWith(404, 'profile', 'not found');
    expect(await rest('GET /profiles/nobody')).toEqual(notFound);
    expect(await rest('POST /profiles/nobody/follow', { token })).toEqual(notFound);
    expect(await rest('DELETE /profiles/nobody/follow', { token })).toEqual(notFound);
  });

  test('are followed and unfollowed: 200 with the profile', async () => {
    await aUser('ann');
    const { token } = await aUser('bob');
    const following = (yes: boolean) => ({ status: 200, body: { profile: { username: 'ann', following: yes } } });
    expect(await rest('POST /profiles/ann/follow', { token })).toMatchObject(following(true));
    expect(await rest('GET /profiles/ann', { token })).toMatchObject(following(true));
    expect(await rest('GET /profiles/ann')).toMatchObject(following(false));
    expect(await rest('DELETE /profiles/ann/follow', { token })).toMatchObject(following(false));
    expect(await rest('GET /profiles/ann', { token })).toMatchObject(following(false));
  });
});

describe('lists of articles', () => {
  test('are newest first, 20 per page, without bodies, with the total count', async () => {
    const ann = await aUser('ann');
    for (let number = 1; number <= 22; number += 1) await anArticle({ by: ann, title: `Number ${number}` });
    const { status, body } = await rest('GET /articles');
    expect(status).toBe(200);
    expect(body.articlesCount).toBe(22);
    expect(body.articles.map(({ title }: { title: string }) => title)).toEqual(
      Array.from({ length: 20 }, (_, index) => `Number ${22 - index}`),
    );
    expect(Object.keys(body.articles[0]).toSorted()).toEqual(
      'author createdAt description favorited favoritesCount slug tagList title updatedAt'.split(' '),
    );
  });

  test('are paged by limit and offset', async () => {
    const ann = await aUser('ann');
    for (const title of ['One', 'Two', 'Three', 'Four']) await anArticle({ by: ann, title });
    const { body } = await rest('GET /articles?limit=2&offset=1');
    expect(body).toMatchObject({ articlesCount: 4, articles: [{ title: 'Three' }, { title: 'Two' }] });
    expect((await rest('GET /articles?offset=4')).body).toEqual({ articles: [], articlesCount: 4 });
  });

  test.each(['limit=0', 'limit=-1', 'offset=-1'])('refuse %s: 422', async (query) => {
    expect((await rest(`GET /articles?${query}`)).status).toBe(422);
  });

  test('are filtered by tag, author and favouriting user', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    await anArticle({ by: ann, title: 'Tagged', tagList: ['dragons', 'training'] });
    await anArticle({ by: bob, title: 'Plain' });
    await rest('POST /articles/plain/favorite', { token: ann.token });
    const titles = async (query: string) => {
      const { body } = await rest(`GET /articles?${query}`);
      expect(body.articlesCount).toBe(body.articles.length);
      return body.articles.map(({ title }: { title: string }) => title);
    };
    expect(await titles('tag=training')).toEqual(['Tagged']);
    expect(await titles('author=bob')).toEqual(['Plain']);
    expect(await titles('favorited=ann')).toEqual(['Plain']);
    expect(await titles('tag=training&author=bob')).toEqual([]);
    expect(await titles('author=nobody')).toEqual([]);
    expect(await titles('favorited=nobody')).toEqual([]);
  });

  test('in the feed are by followed authors, with following: true', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    await anArticle({ by: ann, title: 'Old' });
    await anArticle({ by: ann, title: 'New' });
    await anArticle({ by: bob, title: 'My own' });
    expect((await rest('GET /articles/feed', { token: bob.token })).body).toEqual({ articles: [], articlesCount: 0 });
    await rest('POST /profiles/ann/follow', { token: bob.token });
    expect(await rest('GET /articles/feed?limit=1', { token: bob.token })).toMatchObject({
      status: 200,
      body: { articlesCount: 2, articles: [{ title: 'New', author: { username: 'ann', following: true } }] },
    });
  });
});

describe('articles', () => {
  const content = { title: 'How to train your dragon', description: 'Ever wonder how?', body: 'You have to believe' };

  test('are created: 201, tags in order, dates in ISO format', async () => {
    const { token } = await aUser('ann');
    const article = { ...content, tagList: ['training', 'dragons', 'angularjs'] };
    const response = await rest('POST /articles', { token, body: { article } });
    expect(response).toEqual({
      status: 201,
      body: {
        article: {
          ...article,
          slug: 'how-to-train-your-dragon',
          createdAt: expect.stringMatching(INSTANT),
          updatedAt: expect.stringMatching(INSTANT),
          favorited: false,
          favoritesCount: 0,
          author: { username: 'ann', bio: null, image: null, following: false },
        },
      },
    });
    expect(await rest('GET /articles/how-to-train-your-dragon')).toEqual({ ...response, status: 200 });
  });

  test('do not require tags', async () => {
    const { token } = await aUser('ann');
    const { status, body } = await rest('POST /articles', { token, body: { article: content } });
    expect([status, body.article.tagList]).toEqual([201, []]);
  });

  test.each(['title', 'description', 'body'])('require a %s: 422', async (field) => {
    const { token } = await aUser('ann');
    const response = await rest('POST /articles', { token, body: { article: { ...content, [field]: '' } } });
    expect(response).toEqual(failsWith(422, field, "can't be blank"));
    expect((await rest('GET /articles')).body.articlesCount).toBe(0);
  });

  test('may share a title, with different slugs', async () => {
    const { token } = await aUser('ann');
    const first = await rest('POST /articles', { token, body: { article: content } });
    const second = await rest('POST /articles', { token, body: { article: content } });
    expect(second.status).toBe(201);
    expect(second.body.article.slug).not.toBe(first.body.article.slug);
  });

  test('are updated: createdAt stays, updatedAt changes', async () => {
    const { token } = await aUser('ann');
    const made = (await rest('POST /articles', { token, body: { article: { ...content, tagList: ['a', 'b'] } } })).body;
    const { slug, createdAt, updatedAt } = made.article;
    const { status, body } = await rest(`PUT /articles/${slug}`, { token, body: { article: { body: 'New' } } });
    expect(status).toBe(200);
    expect(body.article).toMatchObject({ ...content, body: 'New', slug, createdAt, tagList: ['a', 'b'] });
    expect(Date.parse(body.article.updatedAt)).toBeGreaterThan(Date.parse(updatedAt));
  });

  test('get a new slug with a new title', async () => {
    const ann = await aUser('ann');
    await anArticle({ by: ann, title: 'Old title' });
    const { token } = ann;
    const { body } = await rest('PUT /articles/old-title', { token, body: { article: { title: 'New title' } } });
    expect(body.article).toMatchObject({ title: 'New title', slug: 'new-title' });
    expect((await rest('GET /articles/new-title')).status).toBe(200);
  });

  test('lose their tags with [], and refuse null: 422', async () => {
    const ann = await aUser('ann');
    await anArticle({ by: ann, title: 'Tagged', tagList: ['a', 'b'] });
    const { token } = ann;
    const change = (tagList: string[] | null) =>
      rest('PUT /articles/tagged', { token, body: { article: { tagList } } });
    expect(await change(null)).toEqual(failsWith(422, 'tagList', "can't be blank"));
    expect((await rest('GET /articles/tagged')).body.article.tagList).toEqual(['a', 'b']);
    expect((await change([])).body.article.tagList).toEqual([]);
    expect((await rest('GET /articles/tagged')).body.article.tagList).toEqual([]);
  });

  test('are deleted by their author: 204 without a body', async () => {
    const ann = await aUser('ann');
    await anArticle({ by: ann, title: 'Short lived' });
    expect(await rest('DELETE /articles/short-lived', { token: ann.token })).toEqual({ status: 204 });
    expect(await rest('GET /articles/short-lived')).toEqual(failsWith(404, 'article', 'not found'));
  });

  test('of others can be neither updated nor deleted: 403', async () => {
    const article = await anArticle({ title: 'Hers' });
    const { token } = await aUser('bob');
    const forbidden = failsWith(403, 'article', 'forbidden');
    expect(await rest('PUT /articles/hers', { token, body: { article: { title: 'His' } } })).toEqual(forbidden);
    expect(await rest('DELETE /articles/hers', { token })).toEqual(forbidden);
    expect(await reload(article)).toMatchObject({ title: 'Hers' });
  });

  test.each([
    'GET /articles/nowhere',
    'PUT /articles/nowhere',
    'DELETE /articles/nowhere',
    'POST /articles/nowhere/favorite',
    'DELETE /articles/nowhere/favorite',
    'GET /articles/nowhere/comments',
    'POST /articles/nowhere/comments',
    'DELETE /articles/nowhere/comments/1',
  ])('that do not exist are 404: %s', async (call) => {
    const { token } = await aUser('ann');
    const body = { article: { title: 'New' }, comment: { body: 'Well said.' } };
    expect(await rest(call, { token, body })).toEqual(failsWith(404, 'article', 'not found'));
  });

  test('are favourited and unfavourited: 200 with the whole article', async () => {
    await anArticle({ title: 'Good', body: 'All of it.' });
    const { token } = await aUser('bob');
    const counted = (favorited: boolean, favoritesCount: number) => ({
      status: 200,
      body: { article: { slug: 'good', body: 'All of it.', favorited, favoritesCount } },
    });
    expect(await rest('POST /articles/good/favorite', { token })).toMatchObject(counted(true, 1));
    expect(await rest('GET /articles/good', { token })).toMatchObject(counted(true, 1));
    expect(await rest('GET /articles/good')).toMatchObject(counted(false, 1));
    expect(await rest('DELETE /articles/good/favorite', { token })).toMatchObject(counted(false, 0));
  });
});

describe('comments', () => {
  test('are created: 201, with an integer id', async () => {
    await anArticle({ title: 'Good' });
    const { token } = await aUser('bob');
    const response = await rest('POST /articles/good/comments', { token, body: { comment: { body: 'Well said.' } } });
    expect(response).toEqual({
      status: 201,
      body: {
        comment: {
          id: expect.any(Number),
          body: 'Well said.',
          createdAt: expect.stringMatching(INSTANT),
          updatedAt: expect.stringMatching(INSTANT),
          author: { username: 'bob', bio: null, image: null, following: false },
        },
      },
    });
    expect(response.body.comment.id).toSatisfy(Number.isInteger);
    expect(await rest('GET /articles/good/comments')).toEqual({
      status: 200,
      body: { comments: [response.body.comment] },
    });
  });

  test('require a body: 422', async () => {
    await anArticle({ title: 'Good' });
    const { token } = await aUser('bob');
    const response = await rest('POST /articles/good/comments', { token, body: { comment: { body: '' } } });
    expect(response).toEqual(failsWith(422, 'body', "can't be blank"));
  });

  test('are deleted by their author: 204 without a body', async () => {
    const article = await anArticle({ title: 'Good' });
    const bob = await aUser('bob');
    const [mine, other] = [await aComment({ on: article, by: bob }), await aComment({ on: article, by: bob })];
    expect(await rest(`DELETE /articles/good/comments/${mine.id}`, { token: bob.token })).toEqual({ status: 204 });
    expect((await rest('GET /articles/good/comments')).body.comments).toMatchObject([{ id: other.id }]);
  });

  test('of others cannot be deleted: 403', async () => {
    const article = await anArticle({ title: 'Good' });
    const { id } = await aComment({ on: article, by: await aUser('bob') });
    const { token } = await aUser('cem');
    const response = await rest(`DELETE /articles/good/comments/${id}`, { token });
    expect(response).toEqual(failsWith(403, 'comment', 'forbidden'));
    expect((await rest('GET /articles/good/comments')).body.comments).toHaveLength(1);
  });

  test('that do not exist or are on another article are 404', async () => {
    const bob = await aUser('bob');
    await anArticle({ by: bob, title: 'Good' });
    const elsewhere = await aComment({ on: await anArticle({ by: bob }), by: bob });
    for (const id of [elsewhere.id, 999, 0, 2 ** 31 - 1]) {
      const response = await rest(`DELETE /articles/good/comments/${id}`, { token: bob.token });
      expect(response).toEqual(failsWith(404, 'comment', 'not found'));
    }
  });
});

test('GET /tags returns the tags of articles as strings', async () => {
  await anArticle({ tagList: ['dragons', 'training'] });
  await anArticle({ tagList: ['dragons'] });
  const { status, body } = await rest('GET /tags');
  expect(status).toBe(200);
  expect(body.tags.toSorted()).toEqual(['dragons', 'training']);
});
