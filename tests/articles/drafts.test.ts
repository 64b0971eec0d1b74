import { describe, expect, test } from 'vitest';
import {
  ArticleDocument,
  CreateArticleDocument,
  DeleteArticleDocument,
  DraftsDocument,
  TagPageDocument,
  UpdateArticleDocument,
} from '../../schema/generated/graphql.ts';
import { globalId } from '../../src/graphql/node.ts';
import { WRONG_COUNTERS } from '../support/counters.ts';
import { aComment, anArticle, aUser, type Person } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

/** That no query and no mutation shows the drafts of others is tested in draft-leaks.postgres.test.ts. */

const content = { title: 'Plans', description: 'd', body: 'b' };

async function create(as: Person, changes: object = {}) {
  const response = await executeGraphql(CreateArticleDocument, { as, input: { ...content, ...changes } });
  expect(response).toSucceed();
  return response.data.createArticle?.article as NonNullable<typeof response.data.createArticle>['article'] & object;
}

async function update(as: Person, slug: string, changes: object) {
  const response = await executeGraphql(UpdateArticleDocument, { as, input: { article: { slug }, ...changes } });
  expect(response).toSucceed();
  return response.data.updateArticle?.article as NonNullable<typeof response.data.updateArticle>['article'] & object;
}

const read = async (slug: string, as?: Person) =>
  (await executeGraphql(ArticleDocument, { slug, ...(as && { as }) })).data.article;

async function readNode(id: string, as?: Person) {
  const response = await executeGraphql<{ node: unknown }, { id: string }>(
    'query ($id: ID!) { node(id: $id) { id } }',
    {
      id,
      ...(as && { as }),
    },
  );
  return response.data.node;
}

describe('a draft', () => {
  test('is seen by its author alone, by slug and by id', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const { slug, id } = await create(ann, { status: 'DRAFT' });
    expect(await read(slug, ann)).toMatchObject({ title: 'Plans' });
    expect(await readNode(id, ann)).toEqual({ id });
    for (const reader of [bob, undefined]) {
      expect(await read(slug, reader)).toBeNull();
      expect(await readNode(id, reader)).toBeNull();
    }
  });

  test('is in the drafts of its author until it is published', async () => {
    const ann = await aUser();
    const { slug } = await create(ann, { status: 'DRAFT' });
    const drafts = async () => (await executeGraphql(DraftsDocument, { as: ann })).data.viewer?.drafts;
    expect(await drafts()).toMatchObject({ totalCount: 1, edges: [{ node: { slug } }] });
    await update(ann, slug, { status: 'PUBLISHED' });
    expect(await drafts()).toMatchObject({ totalCount: 0, edges: [] });
  });

  test('does not show in the slugs of others that its title is taken', async () => {
    const [ann, bob] = [await aUser(), await aUser()];
    expect((await create(ann, { status: 'DRAFT' })).slug).toMatch(/^plans-[\da-f]{10}$/);
    expect((await create(bob)).slug).toBe('plans');
  });

  test('gets the slug of its title when it is first published, and keeps it as a draft again', async () => {
    const ann = await aUser();
    const draft = await create(ann, { status: 'DRAFT' });
    const renamed = await update(ann, draft.slug, { title: 'Better plans' });
    expect(renamed.slug).toMatch(/^better-plans-[\da-f]{10}$/);
    expect((await update(ann, renamed.slug, { status: 'PUBLISHED' })).slug).toBe('better-plans');
    expect((await update(ann, 'better-plans', { status: 'DRAFT' })).slug).toBe('better-plans');
  });

  test('keeps the date of its first publishing', async () => {
    const ann = await aUser();
    const draft = await create(ann, { status: 'DRAFT' });
    expect(draft.publishedAt).toBeNull();
    const { slug, publishedAt } = await update(ann, draft.slug, { status: 'PUBLISHED' });
    expect(publishedAt).toMatch(/^20\d\d-/);
    expect(await update(ann, slug, { status: 'DRAFT' })).toMatchObject({ publishedAt });
    expect(await update(ann, slug, { status: 'PUBLISHED' })).toMatchObject({ publishedAt });
  });

  test('and then renamed has a slug that hides its new title, until it is published again', async () => {
    const ann = await aUser();
    const { slug } = await create(ann, { title: 'First' });
    await update(ann, slug, { status: 'DRAFT' });
    const hidden = await update(ann, slug, { title: 'Secret merger' });
    expect(hidden.slug).toMatch(/^secret-merger-[0-9a-f]+$/);
    expect((await create(await aUser(), { title: 'Secret merger' })).slug).toBe('secret-merger');
    expect((await update(ann, slug, { status: 'PUBLISHED' })).slug).toBe(hidden.slug);
    expect((await update(ann, slug, { title: 'Told' })).slug).toBe('told');
    await create(await aUser(), { title: 'Secret' });
    expect((await update(ann, slug, { title: 'Secret' })).slug).toMatch(/^secret-[0-9a-f]{10}$/);
  });

  test('hides the comments that it got while it was published', async () => {
    const [ann, bob] = [await aUser(), await aUser()];
    const article = await anArticle({ by: ann });
    const id = globalId('Comment', (await aComment({ on: article, by: bob })).id);
    await update(ann, article.slug, { status: 'DRAFT' });
    expect(await readNode(id, bob)).toBeNull();
    expect(await readNode(id)).toBeNull();
    expect(await readNode(id, ann)).toEqual({ id });
    await update(ann, article.slug, { status: 'PUBLISHED' });
    expect(await readNode(id)).toEqual({ id });
  });

  test('is not counted by its tags, in whatever order it is tagged, published and deleted', async () => {
    const ann = await aUser();
    const count = async () =>
      (await executeGraphql(TagPageDocument, { name: 'secret' })).data.tag?.articlesCount ?? null;
    const { slug: draft } = await create(ann, { status: 'DRAFT', tagList: ['secret'] });
    expect(await count()).toBeNull();
    const { slug } = await update(ann, draft, { status: 'PUBLISHED' });
    expect(await count()).toBe(1);
    await update(ann, slug, { status: 'DRAFT', tagList: [] });
    expect(await count()).toBeNull();
    await update(ann, slug, { status: 'PUBLISHED', tagList: ['secret', 'other'] });
    expect(await count()).toBe(1);
    await executeGraphql(DeleteArticleDocument, { as: ann, input: { article: { slug } } });
    expect(await count()).toBeNull();
    expect(await orm.em.fork().execute(WRONG_COUNTERS)).toEqual([]);
  });
});

test('a change that says what the article says already leaves it as it is', async () => {
  const ann = await aUser();
  const article = await create(ann, { tagList: ['a', 'b'] });
  const same = { title: article.title, body: 'b', tagList: ['a', 'b'], status: 'PUBLISHED' };
  expect(await update(ann, article.slug, same)).toMatchObject({ updatedAt: article.updatedAt });
  expect((await update(ann, article.slug, { tagList: ['b', 'a'] })).updatedAt).not.toBe(article.updatedAt);
});
