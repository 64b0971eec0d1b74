import { expect, test } from 'vitest';
import {
  AddCommentDocument,
  ArticleDocument,
  CreateArticleDocument,
  DeleteArticleDocument,
  UpdateArticleDocument,
} from '../../schema/generated/graphql.ts';
import { aUser, type Person } from '../support/test-data.ts';
import { executeGraphql } from '../support/test-server.ts';

const create = async (as: Person, title: string) => {
  const input = { title, description: 'd', body: 'b' };
  return (await executeGraphql(CreateArticleDocument, { as, input })).data.createArticle?.article?.slug ?? '';
};
const retitle = async (as: Person, slug: string, title: string) => {
  const response = await executeGraphql(UpdateArticleDocument, { as, input: { article: { slug }, title } });
  return response.data.updateArticle?.article?.slug ?? '';
};
const read = async (slug: string) => (await executeGraphql(ArticleDocument, { slug })).data.article?.slug ?? null;

test('every slug that an article ever had finds it, and the answer shows the slug of now', async () => {
  const ann = await aUser();
  await create(ann, 'One');
  await retitle(ann, 'one', 'Two');
  expect(await retitle(ann, 'one', 'Three')).toBe('three');
  for (const slug of ['one', 'two', 'three']) expect(await read(slug)).toBe('three');
});

test.each([
  ['updateArticle', 'article: { slug: "old" }, body: "Changed"'],
  ['favoriteArticle', 'article: { slug: "old" }'],
  ['unfavoriteArticle', 'article: { slug: "old" }'],
  ['addComment', 'article: { slug: "old" }, body: "Found."'],
  ['updateComment', 'comment: { inArticle: { slug: "old", databaseId: 1 } }, body: "Changed"'],
  ['deleteComment', 'comment: { inArticle: { slug: "old", databaseId: 1 } }'],
])('%s finds the article by an old slug, and answers with the slug of now', async (name, input) => {
  const ann = await aUser();
  const slug = await retitle(ann, await create(ann, 'Old'), 'New');
  await executeGraphql(AddCommentDocument, { as: ann, input: { article: { slug }, body: 'First.' } });
  const response = await executeGraphql<object, object>(
    `mutation { ${name}(input: { ${input} }) { article { slug } errors { code path } } }`,
    { as: ann },
  );
  expect(response.data).toEqual({ [name]: { article: { slug: 'new' }, errors: [] } });
});

test('no other article gets a slug of the history, until the article is deleted', async () => {
  const [ann, bob] = [await aUser(), await aUser()];
  await retitle(ann, await create(ann, 'Old'), 'New');
  expect(await create(bob, 'Old')).toMatch(/^old-[\da-f]{10}$/);
  expect(await read('old')).toBe('new');
  await executeGraphql(DeleteArticleDocument, { as: ann, input: { article: { slug: 'old' } } });
  expect(await read('old')).toBeNull();
  expect(await create(bob, 'Old')).toBe('old');
});

test('an article gets its own old slug back with its old title', async () => {
  const ann = await aUser();
  await retitle(ann, await create(ann, 'Old'), 'New');
  expect(await retitle(ann, 'new', 'Old')).toBe('old');
  expect(await read('new')).toBe('old');
});

test('articles that take the same title at once all get a slug of their own', async () => {
  const ann = await aUser();
  const slugs = await Promise.all(Array.from({ length: 10 }, () => create(ann, 'Same')));
  expect(new Set(slugs).size).toBe(10);
  expect(slugs).not.toContain('');
  for (const slug of slugs) expect(await read(slug)).toBe(slug);
});
