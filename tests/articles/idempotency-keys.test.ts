import { expect, test } from 'vitest';
import {
  AddCommentDocument,
  CreateArticleDocument,
  DeleteArticleDocument,
  UpdateArticleDocument,
} from '../../schema/generated/graphql.ts';
import { errorsOf } from '../support/matchers.ts';
import { anArticle, aUser, type Person } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

const content = { title: 'Once', description: 'd', body: 'b', tagList: ['a'] };

const create = (as: Person, idempotencyKey: string | null, changes: object = {}) =>
  executeGraphql(CreateArticleDocument, { as, input: { ...content, ...changes, idempotencyKey } });

const count = async (table: string) => {
  const [row] = await orm.em.fork().execute<{ count: number }[]>(`select count(*)::int as count from ${table}`);
  return row?.count;
};

const daysPass = (hours: number) =>
  orm.em.fork().execute(`update idempotency_keys set created_at = created_at - interval '${hours} hours'`);

test('an article is created once, and the second answer is that of the article as it is now', async () => {
  const ann = await aUser();
  const first = (await create(ann, 'k')).data.createArticle?.article;
  const input = { article: { slug: first?.slug ?? '' }, body: 'Changed' };
  await executeGraphql(UpdateArticleDocument, { as: ann, input });
  const second = await create(ann, 'k');
  expect(second).toSucceed();
  expect(second.data.createArticle?.article).toMatchObject({ id: first?.id, body: 'Changed' });
  expect(await count('articles')).toBe(1);
});

test('calls at the same time with one key create one article', async () => {
  const ann = await aUser();
  const responses = await Promise.all(Array.from({ length: 12 }, () => create(ann, 'k')));
  expect(responses.flatMap(errorsOf)).toEqual([]);
  expect(new Set(responses.map(({ data }) => data.createArticle?.article?.id)).size).toBe(1);
  expect(await count('articles')).toBe(1);
});

test('without a key, with another, or by another user, the same input creates another article', async () => {
  const [ann, bob] = [await aUser(), await aUser()];
  for (const key of [null, null, 'k', 'l']) expect(await create(ann, key)).toSucceed();
  expect(await create(bob, 'k')).toSucceed();
  expect(await count('articles')).toBe(5);
});

test.each([
  ['title', { title: 'Other' }],
  ['status', { status: 'DRAFT' }],
  ['tags', { tagList: ['b'] }],
])('a key with another %s is a conflict, and creates nothing', async (_, changes) => {
  const ann = await aUser();
  await create(ann, 'k');
  expect(await create(ann, 'k', changes)).toFailWith('CONFLICT input idempotencyKey');
  expect(await count('articles')).toBe(1);
});

test('a key is looked up before the body is rendered', async () => {
  const ann = await aUser();
  const { slug } = await anArticle({ by: ann });
  const body = '>'.repeat(1_000);
  const comment = (body: string) =>
    executeGraphql(AddCommentDocument, { as: ann, input: { article: { slug }, body, idempotencyKey: 'c' } });
  await create(ann, 'k');
  expect(await create(ann, 'k', { body })).toFailWith('CONFLICT input idempotencyKey');
  expect(await create(ann, 'l', { body })).toFailWith('TOO_MANY input body');
  expect(await comment('Well said.')).toSucceed();
  expect(await comment(body)).toFailWith('CONFLICT input idempotencyKey');
});

test('a key of a call that failed can be used again', async () => {
  const ann = await aUser();
  expect(await create(ann, 'k', { title: '' })).toFailWith('BLANK input title');
  expect(await create(ann, 'k')).toSucceed();
});

test('a key of a deleted article does not create it again', async () => {
  const ann = await aUser();
  const slug = (await create(ann, 'k')).data.createArticle?.article?.slug ?? '';
  await executeGraphql(DeleteArticleDocument, { as: ann, input: { article: { slug } } });
  expect(await create(ann, 'k')).toFailWith('NOT_FOUND input idempotencyKey');
  expect(await count('articles')).toBe(0);
});

test('a key is kept for 24 hours', async () => {
  const ann = await aUser();
  await create(ann, 'k');
  await create(ann, 'l');
  await daysPass(23);
  await create(ann, 'k');
  expect(await count('articles')).toBe(2);
  await daysPass(2);
  expect(await create(ann, 'k', { title: 'Other' })).toSucceed();
  expect([await count('articles'), await count('idempotency_keys')]).toEqual([3, 1]);
});

test.each([
  ['BLANK', ''],
  ['TOO_LONG', 'k'.repeat(201)],
  ['INVALID', 'two\nlines'],
])('a key that is %s is refused', async (code, key) => {
  expect(await create(await aUser(), key)).toFailWith(`${code} input idempotencyKey`);
  expect(await count('articles')).toBe(0);
});

test('a comment is added once, and is counted once', async () => {
  const ann = await aUser();
  const { slug } = await anArticle({ by: ann });
  const add = (body = 'Well said.') =>
    executeGraphql(AddCommentDocument, { as: ann, input: { article: { slug }, body, idempotencyKey: 'k' } });
  const [first, second] = [await add(), await add()];
  expect(second.data.addComment?.comment?.id).toBe(first.data.addComment?.comment?.id);
  expect(second.data.addComment?.article).toMatchObject({ commentsCount: 1 });
  expect(await add('Other')).toFailWith('CONFLICT input idempotencyKey');
  expect(await create(ann, 'k')).toFailWith('CONFLICT input idempotencyKey');
  expect([await count('comments'), await count('articles')]).toEqual([1, 1]);
});
