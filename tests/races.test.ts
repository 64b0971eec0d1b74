import { setTimeout as sleep } from 'node:timers/promises';
import argon2 from 'argon2';
import { print } from 'graphql';
import { afterEach, expect, test } from 'vitest';
import {
  AddCommentDocument,
  CreateArticleDocument,
  CurrentUserDocument,
  DeleteArticleDocument,
  DeleteCommentDocument,
  DeleteUserDocument,
  FavoriteArticleDocument,
  FollowUserDocument,
  LoginDocument,
  RefreshSessionDocument,
  RegisterDocument,
  UnfavoriteArticleDocument,
  UnfollowUserDocument,
  UpdateArticleDocument,
  UpdateUserDocument,
} from '../schema/generated/graphql.ts';
import { globalId } from '../src/graphql/node.ts';
import { User } from '../src/users/user.entity.ts';
import { WRONG_COUNTERS } from './support/counters.ts';
import { errorsOf } from './support/matchers.ts';
import { aComment, anArticle, aUser, PASSWORD, type Person } from './support/test-data.ts';
import { executeGraphql, type GraphQLResponse, orm } from './support/test-server.ts';

const ARGON2 = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Concurrent requests through the server. The tables are checked for invariants after every test. */

afterEach(async () => {
  expect(await rows(WRONG_COUNTERS)).toEqual([]);
});

test('two hundred concurrent articles with one title all get distinct slugs', async () => {
  const authors = await people(4);
  const input = { title: 'The same title', description: 'd', body: 'b', tagList: ['one', 'two'] };
  const responses = await Promise.all(
    times(200, (n) => executeGraphql(CreateArticleDocument, { as: authors[n % 4] as Person, input })),
  );
  expect(responses.flatMap(errorsOf)).toEqual([]);
  expect(new Set(responses.map(({ data }) => data.createArticle?.article?.slug)).size).toBe(200);
  expect(await count('articles')).toBe(200);
});

test('of thirty concurrent registrations of one name one succeeds and the others are TAKEN', async () => {
  const responses = await Promise.all(
    times(30, (n) => {
      const username = n % 2 ? 'Straße' : 'STRASSE';
      return executeGraphql(RegisterDocument, { input: { username, email: `${n}@example.com`, password: PASSWORD } });
    }),
  );
  expect(responses.flatMap(errorsOf)).toEqual(Array(29).fill('TAKEN input username'));
  expect([await count('users'), await count('sessions')]).toEqual([1, 1]);
});

test.each([
  ['as it is hashed', 'old pass word 99', 'old pass word 99'],
  ['in another spelling than it is hashed', 'old pass word 99', 'old\u00a0pass word 99'],
  ['as an older release hashed it', 'old\u00a0pass word 99', 'old\u00a0pass word 99'],
])(
  'a password that is changed during a sign-in with it, typed %s, is over, and so is that session',
  async (_, hashed, typed) => {
    const survivors: string[] = [];
    for (const n of times(6, (n) => n)) {
      const ann = await aUser(`ann${n}`);
      await orm.em.fork().nativeUpdate(User, ann.id, { passwordHash: await argon2.hash(hashed, ARGON2) });
      const login = executeGraphql(LoginDocument, { input: { email: ann.email, password: typed } });
      await sleep(n * 15);
      const change = await executeGraphql(UpdateUserDocument, { as: ann, input: { password: 'brand new password' } });
      expect(change).toSucceed();
      const { token } = (await login).data.login ?? {};
      if (token) {
        const { errors } = await executeGraphql('{ viewer { email } }', { as: { token } });
        if (errors?.[0]?.extensions.code !== 'UNAUTHENTICATED') survivors.push(`the session of sign-in ${n}`);
      }
      const again = await executeGraphql(LoginDocument, { input: { email: ann.email, password: typed } });
      if (again.data.login?.token) survivors.push(`the password of sign-in ${n}`);
    }
    expect(survivors).toEqual([]);
  },
);

test('concurrent favouriting and unfavouriting leave counts that equal the rows', async () => {
  const fans = await people(6);
  const articles = [await anArticle(), await anArticle()];
  const responses = await Promise.all(
    times(180, (n): Promise<GraphQLResponse<unknown>> => {
      const options = { as: fans[n % 6] as Person, input: { article: { slug: articles[roll(2)]?.slug as string } } };
      return roll(2)
        ? executeGraphql(FavoriteArticleDocument, options)
        : executeGraphql(UnfavoriteArticleDocument, options);
    }),
  );
  expect(responses.flatMap(errorsOf)).toEqual([]);
});

test('concurrent following and unfollowing neither fail nor follow twice', async () => {
  const crowd = await people(5);
  const responses = await Promise.all(
    times(150, (n): Promise<GraphQLResponse<unknown>> => {
      const [as, other] = [crowd[n % 5], crowd[(n + 1 + roll(4)) % 5]] as [Person, Person];
      const options = { as, input: { user: { username: other.username } } };
      return roll(2) ? executeGraphql(FollowUserDocument, options) : executeGraphql(UnfollowUserDocument, options);
    }),
  );
  expect(responses.flatMap(errorsOf)).toEqual([]);
});

test('comments on an article that is renamed do not deadlock with it', async () => {
  const [ann, bob] = (await people(2)) as [Person, Person];
  const { id } = await anArticle({ by: ann });
  const article = { id: globalId('Article', id) };
  const before = await deadlocks();
  const responses = await Promise.all([
    ...times(30, (n) => executeGraphql(UpdateArticleDocument, { as: ann, input: { article, title: `Title ${n}` } })),
    ...times(90, () => executeGraphql(AddCommentDocument, { as: bob, input: { article, body: 'Me too.' } })),
  ]);
  expect(responses.flatMap(errorsOf)).toEqual([]);
  expect(await deadlocks()).toEqual(before);
});

test('concurrently added and deleted comments leave counts that equal the rows', async () => {
  const [ann, bob] = (await people(2)) as [Person, Person];
  const article = await anArticle({ by: ann });
  const old = await Promise.all(times(60, () => aComment({ on: article, by: bob })));
  const responses = await Promise.all([
    ...old.flatMap(({ id }) => [
      executeGraphql(DeleteCommentDocument, { as: bob, input: { comment: { id: globalId('Comment', id) } } }),
      executeGraphql(DeleteCommentDocument, { as: ann, input: { comment: { id: globalId('Comment', id) } } }),
    ]),
    ...times(60, () =>
      executeGraphql(AddCommentDocument, { as: bob, input: { article: { slug: article.slug }, body: 'Me too.' } }),
    ),
  ]);
  expectOnly(responses, 'NOT_FOUND input comment');
  expect(await count('comments')).toBe(60);
});

test('concurrent updates of one article all succeed and leave the tags of one of them', async () => {
  const ann = await aUser();
  const { slug } = await anArticle({ by: ann, tagList: ['a', 'b', 'c'] });
  const lists = [['a'], ['c', 'b', 'd'], ['d', 'c', 'b', 'a'], [], ['e', 'a']];
  const responses = await Promise.all(
    times(60, (n) =>
      executeGraphql(UpdateArticleDocument, {
        as: ann,
        input: { article: { slug }, body: `b${n}`, tagList: lists[n % 5] as string[] },
      }),
    ),
  );
  expect(responses.flatMap(errorsOf)).toEqual([]);
  const { data } = await executeGraphql<{ article: { tagList: string[] } }, object>(
    `{ article(by: { slug: "${slug}" }) { tagList } }`,
  );
  expect(lists).toContainEqual(data.article.tagList);
});

test('authors who share tags in opposite orders do not deadlock when they create, update or delete', async () => {
  const authors = await people(4);
  const names = times(12, (n) => `tag${n}`);
  const shuffled = (n: number) => (n % 2 ? names : names.toReversed());
  const articles = await Promise.all(
    times(40, (n) => anArticle({ by: authors[n % 4] as Person, tagList: shuffled(n) })),
  );
  const responses = await Promise.all(
    articles.flatMap(({ slug }, n): Promise<GraphQLResponse<unknown>>[] => {
      const as = authors[n % 4] as Person;
      const content = { title: `New ${n}`, description: 'd', body: 'b', tagList: shuffled(n + 1) };
      return [
        executeGraphql(CreateArticleDocument, { as, input: content }),
        executeGraphql(UpdateArticleDocument, {
          as,
          input: { article: { slug }, tagList: shuffled(n + 1).slice(n % 5) },
        }),
        executeGraphql(DeleteArticleDocument, { as, input: { article: { slug } } }),
      ];
    }),
  );
  expectOnly(responses, 'NOT_FOUND input article', 'NOT_FOUND');
  expect(await count('articles')).toBe(40);
});

test('an article deleted during comments, favourites and updates leaves no rows behind', async () => {
  const ann = await aUser('ann');
  const crowd = await people(5);
  for (let round = 0; round < 5; round += 1) {
    const { slug } = await anArticle({ by: ann, tagList: ['red', 'blue'] });
    const article = { slug };
    const responses = await Promise.all([
      ...times(30, (n): Promise<GraphQLResponse<unknown>> => {
        const as = crowd[n % 5] as Person;
        if (n % 3 === 0) return executeGraphql(FavoriteArticleDocument, { as, input: { article } });
        if (n % 3 === 1) return executeGraphql(AddCommentDocument, { as, input: { article, body: 'Wait!' } });
        return executeGraphql(UpdateArticleDocument, { as: ann, input: { article, tagList: [`tag${n}`, 'blue'] } });
      }).toSpliced(15, 0, executeGraphql(DeleteArticleDocument, { as: ann, input: { article } })),
    ]);
    expectOnly(responses, 'NOT_FOUND input article', 'NOT_FOUND');
  }
  expect(await tableCounts('articles', 'comments', 'favorites', 'article_tags')).toEqual([0, 0, 0, 0]);
});

test('favourites and comments answer with the article, or NOT_FOUND when it became a draft or was deleted meanwhile', async () => {
  const ann = await aUser('ann');
  const crowd = await people(4);
  for (let round = 0; round < 8; round += 1) {
    const { slug } = await anArticle({ by: ann });
    const article = { slug };
    const act = (n: number) => {
      const as = crowd[n % 4] as Person;
      if (n % 2) return executeGraphql(FavoriteArticleDocument, { as, input: { article } });
      return executeGraphql(AddCommentDocument, { as, input: { article, body: 'Wait!' } });
    };
    const hide = () =>
      round % 2
        ? executeGraphql(DeleteArticleDocument, { as: ann, input: { article } })
        : executeGraphql(UpdateArticleDocument, { as: ann, input: { article, status: 'DRAFT' } });
    const acts = times(24, act);
    const responses = (await Promise.all([...acts.slice(0, 12), hide(), ...acts.slice(12)])).toSpliced(12, 1);
    expectOnly(responses, 'NOT_FOUND input article', 'NOT_FOUND');
    const hasArticle = ({ data }: GraphQLResponse<object>) => Object.values(data)[0]?.article !== null;
    expect(responses.filter((response) => hasArticle(response) === errorsOf(response).length > 0)).toEqual([]);
  }
});

test('an account deleted during its own mutations leaves no rows behind, and they are UNAUTHENTICATED or NOT_FOUND', async () => {
  const other = await aUser('other');
  const stays = await anArticle({ by: other });
  for (let round = 0; round < 4; round += 1) {
    const ann = await aUser();
    const article = { slug: stays.slug };
    const content = { title: 'By one who goes', description: 'd', body: 'b', tagList: ['red'] };
    const act = (n: number): Promise<GraphQLResponse<unknown>> =>
      [
        () => executeGraphql(CreateArticleDocument, { as: ann, input: { ...content, idempotencyKey: `a${n}` } }),
        () => executeGraphql(FavoriteArticleDocument, { as: ann, input: { article } }),
        () =>
          executeGraphql(AddCommentDocument, { as: ann, input: { article, body: 'Bye.', idempotencyKey: `c${n}` } }),
        () => executeGraphql(FollowUserDocument, { as: ann, input: { user: { username: 'other' } } }),
        () => executeGraphql(FollowUserDocument, { as: other, input: { user: { username: ann.username } } }),
        () => executeGraphql(UpdateUserDocument, { as: ann, input: { bio: `Gone ${n}` } }),
        () => executeGraphql(UpdateUserDocument, { as: ann, input: { password: PASSWORD } }),
      ][n % 7]?.() as Promise<GraphQLResponse<unknown>>;
    const deleting = executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } });
    const responses = [];
    // At different moments of the password check.
    for (let wave = 0; wave < 6; wave += 1) responses.push(...(await Promise.all(times(14, act))));
    await deleting;
    expectOnly(responses, 'UNAUTHENTICATED', 'NOT_FOUND input user', 'NOT_FOUND');
    await executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } });
  }
  expect(await count('articles')).toBe(1);
});

test('an account deleted several times at once is deleted once', async () => {
  for (let round = 0; round < 5; round += 1) {
    const ann = await aUser();
    const responses = await Promise.all(
      times(4, () => executeGraphql(DeleteUserDocument, { as: ann, input: { password: PASSWORD } })),
    );
    expectOnly(responses, 'UNAUTHENTICATED');
    expect(responses.filter(({ data }) => data?.deleteViewer?.deletedId).length).toBeGreaterThan(0);
  }
  expect(await tableCounts('users', 'sessions')).toEqual([0, 0]);
});

test('accounts with the same favourites are deleted at once without a deadlock', async () => {
  const crowd = await people(6);
  const articles = await Promise.all(times(30, () => anArticle({ by: crowd[0] as Person })));
  const others = crowd.slice(1);
  for (const [index, { id }] of others.entries()) {
    const order = index % 2 ? articles : articles.toReversed();
    const values = order.map((article) => `(${id}, ${article.id})`).join();
    await orm.em.fork().execute(`insert into favorites (user_id, article_id) values ${values}`);
  }
  const responses = await Promise.all(
    others.map((as) => executeGraphql(DeleteUserDocument, { as, input: { password: PASSWORD } })),
  );
  expect(responses.flatMap(errorsOf)).toEqual([]);
  expect(await count('favorites')).toBe(0);
});

test('of ten users who take one name at once one gets it', async () => {
  const crowd = await people(10);
  const responses = await Promise.all(
    crowd.map((as) => executeGraphql(UpdateUserDocument, { as, input: { username: 'wanted' } })),
  );
  expect(responses.flatMap(errorsOf)).toEqual(Array(9).fill('TAKEN input username'));
});

test('a password changed several times at once causes no internal error', async () => {
  const ann = await aUser();
  const responses = await Promise.all(
    times(4, (n) => executeGraphql(UpdateUserDocument, { as: ann, input: { password: `password ${n}` } })),
  );
  expectOnly(responses, 'UNAUTHENTICATED');
  expect(responses.filter(({ data }) => data?.updateViewer?.token).length).toBeGreaterThan(0);
});

test('a refresh token used several times at once gives one successor, and the session goes on', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { refreshToken } = await aUser();
    const responses = await Promise.all(
      times(4, () => executeGraphql(RefreshSessionDocument, { input: { refreshToken } })),
    );
    expectOnly(responses);
    const refreshed = responses.map(({ data }) => data.refreshSession);
    expect(new Set(refreshed.map((payload) => payload?.refreshToken)).size).toBe(1);
    for (const payload of refreshed) {
      const token = payload?.token as string;
      expect(await executeGraphql<unknown, object>(print(CurrentUserDocument), { as: { token } })).toSucceed();
    }
  }
  expect(await count('sessions')).toBe(10);
});

/** Some requests may have come too late and failed with these errors; any other error fails the test. */
function expectOnly(responses: readonly GraphQLResponse<unknown>[], ...expected: string[]): void {
  const others = responses.filter((response) => errorsOf(response).some((error) => !expected.includes(error)));
  expect(others).toEqual([]);
}

const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const people = (count: number): Promise<Person[]> => Promise.all(times(count, () => aUser()));
/** Of this database so far. PostgreSQL counts one within a second. */
async function deadlocks(): Promise<unknown> {
  await sleep(1_500);
  return rows('select deadlocks from pg_stat_database where datname = current_database()');
}

const roll = (sides: number): number => Math.floor(Math.random() * sides);
const rows = (sql: string): Promise<object[]> => orm.em.fork().execute(sql);
const tableCounts = (...tables: string[]) => Promise.all(tables.map(count));

async function count(table: string): Promise<number> {
  const [row] = await rows(`select count(*)::int as count from ${table}`);
  return (row as { count: number }).count;
}
