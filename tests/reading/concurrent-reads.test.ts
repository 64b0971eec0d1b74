import { beforeEach, expect, test } from 'vitest';
import { FavoriteArticleDocument } from '../../schema/generated/graphql.ts';
import { anArticle, aUser, type Person } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

let ann: Person;
let bob: Person;
beforeEach(async () => {
  ann = await aUser('ann');
  bob = await aUser('bob');
});

/** Each round sends a hundred requests. For ten thousand: ROUNDS=100 npx vitest run tests/reading/concurrent-reads.test.ts */
const ROUNDS = Number(process.env.ROUNDS || 10);

const PAGE = `query Page($first: Int) {
  viewer { user { username isViewer } }
  articles(first: $first) { nodes { slug viewerHasFavorited viewerCanUpdate author { isViewer } } }
}`;

test('two viewers who send the same query concurrently each see only their own flags', {
  timeout: 600_000,
}, async () => {
  const titles = { ann: 'By ann', bob: 'By bob' };
  for (const by of [ann, bob]) {
    await anArticle({ by, title: titles[by.username as 'ann' | 'bob'] });
    const article = { slug: `by-${by.username}` };
    await executeGraphql(FavoriteArticleDocument, { as: by, input: { article } });
  }
  const seenBy = ({ username }: Person) => ({
    viewer: { user: { username, isViewer: true } },
    articles: {
      nodes: ['bob', 'ann'].map((author) => {
        const isOwn = author === username;
        const flags = { viewerHasFavorited: isOwn, viewerCanUpdate: isOwn, author: { isViewer: isOwn } };
        return { slug: `by-${author}`, ...flags };
      }),
    },
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    const viewers = Array.from({ length: 100 }, (_, index) => ((index + round) % 2 === 0 ? ann : bob));
    const responses = await Promise.all(
      viewers.map((as) => executeGraphql<unknown, { first: number }>(PAGE, { as, first: 2 })),
    );
    expect(responses.map(({ data }) => data)).toEqual(viewers.map(seenBy));
  }
});

test('ten connections serve a thousand concurrent requests', { timeout: 600_000 }, async () => {
  await anArticle({ by: ann });
  const pool = await orm.em.getConnection().getNativeClient();
  expect(pool.options.max).toBe(10);
  const responses = await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      executeGraphql<unknown, { first: number }>(PAGE, { as: index % 2 === 0 ? ann : bob, first: 1 }),
    ),
  );
  for (const response of responses) expect(response).toSucceed();
  expect(pool.totalCount).toBeLessThanOrEqual(10);
  expect(pool.waitingCount).toBe(0);
});

test('distinct documents do not fill the database with prepared statements', {
  timeout: 600_000,
}, async () => {
  for (let number = 0; number < 600; number += 1) {
    expect(await executeGraphql(`{ articles(first: 1) { nodes { name${number}: slug } } }`)).toSucceed();
  }
  const pool = await orm.em.getConnection().getNativeClient();
  const { rows } = await pool.query('select count(*)::int as kept from pg_prepared_statements');
  expect(rows[0].kept).toBeLessThanOrEqual(201);
});
