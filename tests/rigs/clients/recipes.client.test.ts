import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Article } from '../../../src/articles/article.entity.ts';
import { Favorite } from '../../../src/articles/favorite.entity.ts';
import { Session } from '../../../src/auth/session.entity.ts';
import { addDemoBlog } from '../../../src/seeding/demo/demo-blog.ts';
import { Follow } from '../../../src/users/follow.entity.ts';
import { User } from '../../../src/users/user.entity.ts';
import { anArticle, aUser, PASSWORD, type Person } from '../../support/test-data.ts';
import { address, deleteAllRows, orm } from '../../support/test-server.ts';
import { fetchClient, signIn } from './fetch.ts';
import { type Frontend, frontends, type Shown } from './frontends.ts';
import { createSession } from './session.ts';

/** The recipes of docs/clients.md, with the real clients against the real server. */

const ARTICLE = { title: 'A title', description: 'What it is about.', body: 'Some body.' };

const realFetch = globalThis.fetch;
const requests = vi.spyOn(globalThis, 'fetch');
const consoles = (['warn', 'error'] as const).map((kind) => vi.spyOn(console, kind));
/** Graphcache writes every fragment on an interface, whatever the type of the object, and then misses their fields. */
const GRAPHCACHE_ON_FRAGMENTS =
  /^Invalid undefined: The field at `(limit|resource|currentVersion)` .*"ErrorFields" Fragment/s;
let reader: Person;
let author: Person;

beforeEach(async () => {
  vi.clearAllMocks();
  [reader, author] = [await aUser('reader'), await aUser('author')];
  const em = orm.em.fork();
  await em.insert(Follow, { follower: reader.id, followed: author.id, createdAt: new Date() });
});

afterEach(() => {
  const logged = consoles.flatMap(({ mock }) => mock.calls.map(([text]) => String(text)));
  expect(logged.filter((text) => !GRAPHCACHE_ON_FRAGMENTS.test(text))).toEqual([]);
});

describe.each(Object.entries(frontends))('%s', (_name, frontendAt) => {
  let frontend: Frontend;

  beforeEach(() => {
    frontend = frontendAt(`${address}/graphql`);
  });

  const signedIn = async () => {
    expect(await frontend.signIn(reader.email, PASSWORD)).toEqual([]);
    requests.mockClear();
  };

  test('signs in, and reports a wrong password', async () => {
    expect(await frontend.signIn(reader.email, 'not it')).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
    await expect(frontend.publish(ARTICLE)).rejects.toThrow('is missing');
    await signedIn();
    expect(await frontend.publish(ARTICLE)).toMatchObject({ messages: {} });
    expect(await orm.em.fork().find(Article, { author: reader.id })).toHaveLength(1);
  });

  test('reads the feed in three pages, each article once, and sends no request after the last page', async () => {
    const titles = await articles(13);
    await signedIn();
    for (const shown of [5, 10, 13]) {
      await frontend.more();
      expect(frontend.shown().map(({ title }) => title)).toEqual(titles.slice(0, shown));
    }
    expect(requests).toHaveBeenCalledTimes(3);
    await frontend.more();
    expect(requests).toHaveBeenCalledTimes(3);
  });

  test('shows a favourite optimistically, and then the result of the server', async () => {
    await articles(2);
    await signedIn();
    await frontend.more();
    const [article, other] = frontend.shown() as [Shown, Shown];
    await favoriteByAnotherUser(article);

    const release = holdNextRequest();
    const done = frontend.favorite(article);
    await vi.waitFor(() => expect(frontend.shown()[0]).toMatchObject({ viewerHasFavorited: true, favoritesCount: 1 }));
    release();
    expect(await done).toEqual([]);
    expect(frontend.shown()).toMatchObject([{ viewerHasFavorited: true, favoritesCount: 2 }, other]);
  });

  test('reverts a favourite that the server refuses', async () => {
    await articles(1);
    await signedIn();
    await frontend.more();
    const before = frontend.shown();
    await orm.em.fork().nativeDelete(Article, {});
    expect(await frontend.favorite(before[0] as Shown)).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect(frontend.shown()).toEqual(before);
  });

  test('returns validation messages by the field of the form', async () => {
    await signedIn();
    const { messages } = await frontend.publish({ ...ARTICLE, title: '', description: ' ' });
    expect(messages).toEqual({ title: "can't be blank", description: "can't be blank" });
    expect(await orm.em.fork().count(Article)).toBe(0);
  });

  test('refreshes an expired token once for all concurrent requests', async () => {
    await signedIn();
    await orm.em.fork().nativeUpdate(Session, { user: reader.id }, { generation: 2 });
    const titles = ['One', 'Two', 'Three'];
    const published = await Promise.all(titles.map((title) => frontend.publish({ ...ARTICLE, title })));
    expect(published).toMatchObject([{ messages: {} }, { messages: {} }, { messages: {} }]);
    expect(await orm.em.fork().count(Article, { author: reader.id })).toBe(3);
    expect(refreshes()).toBe(1);
  });

  test('reports UNAUTHENTICATED when the session has ended', async () => {
    await signedIn();
    await orm.em.fork().nativeDelete(Session, { user: reader.id });
    const error = await frontend.publish(ARTICLE).catch((error) => error);
    expect(frontend.codeOf(error)).toBe('UNAUTHENTICATED');
    expect(refreshes()).toBe(1);
    await frontend.publish(ARTICLE).catch(() => {});
    expect(refreshes()).toBe(1);
    expect(await orm.em.fork().count(Article)).toBe(0);
  });
});

test('signing out ends only this session on the server, even with an expired token', async () => {
  const url = `${address}/graphql`;
  const sessionsNow = () => orm.em.fork().count(Session, { user: reader.id });
  const before = await sessionsNow();
  for (const hasEnded of [false, true]) {
    const session = createSession(url);
    await signIn(fetchClient(url, session), session, reader.email, PASSWORD);
    expect(await sessionsNow()).toBe(before + 1);
    const { authorization = '' } = session.headers();
    if (hasEnded)
      requests.mockResolvedValueOnce(Response.json({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }));
    await session.close();
    expect(await sessionsNow()).toBe(before);
    expect(session.isOpen()).toBe(false);
    const body = JSON.stringify({ query: '{ viewer { email } }' });
    const asBefore = { method: 'POST', headers: { 'content-type': 'application/json', authorization }, body };
    expect(await (await fetch(url, asBefore)).json()).toMatchObject({
      errors: [{ message: 'is invalid or has expired' }],
    });
  }
});

test('the first call prints five articles of the feed', async () => {
  await deleteAllRows();
  await addDemoBlog(orm.em.fork());
  const atThisServer = (url: unknown, init?: RequestInit) =>
    realFetch(String(url).replace('http://localhost:4000', address), init);
  requests.mockImplementation(atThisServer as typeof fetch);
  const log = vi.spyOn(console, 'log').mockReturnValue();
  await import('./first-call.ts');
  expect(log.mock.calls.map(([line]) => line)).toEqual(Array(5).fill(expect.stringMatching(/^.+, by \w+ \(\d+ fav/)));
});

/** Creates articles of the author; returns their titles, newest first. */
async function articles(count: number): Promise<string[]> {
  const titles: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const { title } = await anArticle({ by: author });
    titles.unshift(title);
  }
  return titles;
}

async function favoriteByAnotherUser({ title }: Shown): Promise<void> {
  const em = orm.em.fork();
  const [article, user] = [await em.findOneOrFail(Article, { title }), await em.findOneOrFail(User, author.id)];
  await em.persist(em.create(Favorite, { article, user })).flush();
}

function holdNextRequest(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  requests.mockImplementationOnce(async (...request) => {
    await promise;
    return fetch(...request);
  });
  return resolve;
}

const refreshes = () => requests.mock.calls.filter(([, init]) => String(init?.body).includes('refreshSession')).length;
