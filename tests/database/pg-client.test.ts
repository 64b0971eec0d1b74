import type { PoolClient } from 'pg';
import { expect, test } from 'vitest';
import { DeleteArticleDocument, UpdateArticleDocument } from '../../schema/generated/graphql.ts';
import type { PgClient } from '../../src/database/pg-client.ts';
import { Tag } from '../../src/tags/tag.entity.ts';
import { statementsDuring } from '../support/statements.ts';
import { anArticle, aUser } from '../support/test-data.ts';
import { executeGraphql, type GraphQLResponse, orm } from '../support/test-server.ts';

const textsDuring = async (act: () => Promise<unknown>) => (await statementsDuring(act)).map(({ text }) => text);

test('sends begin in one message with the first statement', async () => {
  const texts = await textsDuring(() =>
    orm.em.fork().transactional(async (em) => {
      expect(await em.execute('select 1 as one')).toEqual([{ one: 1 }]);
      expect(await em.execute('select 2 as two')).toEqual([{ two: 2 }]);
    }),
  );
  expect(texts).toEqual(['begin; select 1 as one', 'select 2 as two', 'commit']);
});

test('sends begin before a first statement with parameters', async () => {
  const pool = await orm.em.getConnection().getNativeClient();
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query('select $1::int as given, now() = statement_timestamp() as alone', [7]);
    expect(rows).toEqual([{ given: 7, alone: false }]);
    await client.query('rollback');
  } finally {
    client.release();
  }
});

test('a transaction whose first statement fails is rolled back, and its connection stays usable', async () => {
  const em = orm.em.fork();
  const failing = em.transactional(async (em) => {
    await em.execute(`insert into tags (name) values ('kept'); select 1 / 0`);
  });
  await expect(failing).rejects.toThrow('division by zero');
  const caught = em.transactional(async (em) => {
    await em.execute('select 1 / 0').catch(() => {});
    await em.execute(`insert into tags (name) values ('kept')`);
  });
  await expect(caught).rejects.toThrow('current transaction is aborted');
  expect(await em.count(Tag)).toBe(0);
});

test('a statement that was prepared and then failed in a message can be sent alone, and in a message again', async () => {
  const pool = await orm.em.getConnection().getNativeClient();
  const client = (await pool.connect()) as PoolClient & PgClient;
  const divide = (by: number) => ({ name: 'divide', text: 'select 6 / $1::int as result', values: [by] });
  try {
    await expect(client.runTogether([divide(0), divide(3)])).rejects.toThrow('division by zero');
    expect((await client.query(divide(2))).rows).toEqual([{ result: 3 }]);
    expect(await client.runTogether([divide(2), divide(1)])).toEqual([['6']]);
  } finally {
    client.release(true);
  }
});

test('onStatement reports the texts of all statements that are sent together', async () => {
  const pool = await orm.em.getConnection().getNativeClient();
  const client = (await pool.connect()) as PoolClient & PgClient;
  const { onStatement } = client;
  const seen: string[] = [];
  client.onStatement = (text) => seen.push(text);
  try {
    const select = (result: string) => ({ name: '', text: `select '${result}'`, values: [] });
    expect(await client.runTogether([select('a'), select('b')])).toEqual([['b']]);
    expect(seen).toEqual(["select 'a'; select 'b'"]);
  } finally {
    client.onStatement = onStatement;
    client.release();
  }
});

test('a mutation that loads first needs few round trips, and writes in a transaction', async () => {
  const as = await aUser();
  const { slug } = await anArticle({ by: as, tagList: ['red'] });
  const article = { slug };
  const costs: [number, () => Promise<GraphQLResponse<unknown>>][] = [
    [11, () => executeGraphql(UpdateArticleDocument, { as, input: { article, body: 'c', tagList: ['blue'] } })],
    [7, () => executeGraphql(DeleteArticleDocument, { as, input: { article } })],
  ];
  for (const [most, act] of costs) {
    const texts = await textsDuring(async () => expect(await act()).toSucceed());
    expect(texts.length, texts.join('\n')).toBeLessThanOrEqual(most);
    expect(texts.some((text) => text.startsWith('begin; ')) && texts.includes('commit')).toBe(true);
  }
});
