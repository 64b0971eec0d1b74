import { describe, expect, test } from 'vitest';
import {
  ArticleDocument,
  ArticlesDocument,
  CreateArticleDocument,
  DeleteArticleDocument,
  FavoriteArticleDocument,
  UnfavoriteArticleDocument,
  UpdateArticleDocument,
} from '../../schema/generated/graphql.ts';
import { Article } from '../../src/articles/article.entity.ts';
import { Comment } from '../../src/comments/comment.entity.ts';
import { Tag } from '../../src/tags/tag.entity.ts';
import { aComment, anArticle, aUser, type Person, reload } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

const EMOJI = '🐉';
const content = { title: 'Title', description: 'd', body: 'b' };
const create = (as: Person, changes: object = {}) =>
  executeGraphql(CreateArticleDocument, { as, input: { ...content, ...changes } });
const update = (as: Person, slug: string, changes: object) =>
  executeGraphql(UpdateArticleDocument, { as, input: { article: { slug }, ...changes } });

/** Values that both creating and updating refuse. */
const REFUSED: [field: string, what: string, value: unknown, error: string, limit?: number][] = [
  ...(['title', 'description', 'body'] as const).flatMap((field): typeof REFUSED => [
    [field, 'that is empty', '', `BLANK input ${field}`],
    [field, 'of white space', ' \t\r\n\u00a0\u3000', `BLANK input ${field}`],
    [field, 'with a NUL', 'a\0b', `INVALID input ${field}`],
    [field, 'with half a character', 'a\ud800b', `INVALID input ${field}`],
    [field, 'of a space of no width', '\u200b', `BLANK input ${field}`],
    [field, 'of a letter that fills', '\u3164', `BLANK input ${field}`],
    [field, 'of an empty cell of Braille', '\u2800', `BLANK input ${field}`],
    [field, 'of a private character', '\ue000', `BLANK input ${field}`],
    [field, 'of an accent', ' \u0301', `BLANK input ${field}`],
    [field, 'of a control character', '\u0007', `INVALID input ${field}`],
    [field, 'with a control character of the second set', 'a\u0085b', `INVALID input ${field}`],
    [field, 'with an escape sequence', 'a\u001b[2Jb', `INVALID input ${field}`],
    [field, 'with a reversed direction', 'a \u202eb\u202c', `INVALID input ${field}`],
    [field, 'with a direction that does not end', 'a \u2067b', `INVALID input ${field}`],
    [field, 'with the end of a direction that it did not start', 'a\u2069 b', `INVALID input ${field}`],
  ]),
  ['title', 'of two lines', 'a\nb', 'INVALID input title'],
  ['title', 'of 201 characters', 'x'.repeat(201), 'TOO_LONG input title', 200],
  ['title', 'of 201 emoji', EMOJI.repeat(201), 'TOO_LONG input title', 200],
  ['title', 'of 900,000 characters', 'x'.repeat(900_000), 'TOO_LONG input title', 200],
  ['description', 'of 501 emoji', EMOJI.repeat(501), 'TOO_LONG input description', 500],
  ['body', 'of 100,001 characters', 'x'.repeat(100_001), 'TOO_LONG input body', 100_000],
  ['tagList', 'with a blank tag', ['a', '  '], 'BLANK input tagList 1'],
  ['tagList', 'with a tag of 51 emoji', [EMOJI.repeat(51)], 'TOO_LONG input tagList 0', 50],
  ['tagList', 'with a NUL in a tag', ['a', 'b', 'c\0'], 'INVALID input tagList 2'],
  ['tagList', 'with half a character in a tag', ['\udc00'], 'INVALID input tagList 0'],
  ['tagList', 'with a tag of a space of no width', ['\u200b'], 'BLANK input tagList 0'],
  ['tagList', 'with a tag of letters that fill', ['a', '\u3164\u115f'], 'BLANK input tagList 1'],
  ['tagList', 'with a tag of a control character', ['\u0007'], 'INVALID input tagList 0'],
  ['tagList', 'with a space of no width in a tag', ['dra\u200bgon'], 'INVALID input tagList 0'],
  ['tagList', 'with a joiner at the end of a tag', ['dragon\u200d'], 'INVALID input tagList 0'],
  ['tagList', 'with a reversed direction in a tag', ['\u202enogard'], 'INVALID input tagList 0'],
  ['tagList', 'with a line break in a tag', ['dra\ngon'], 'INVALID input tagList 0'],
  ['tagList', 'of 21 tags', Array.from({ length: 21 }, (_, index) => `tag${index}`), 'TOO_MANY input tagList', 20],
];

const ACCEPTED: [field: string, what: string, value: unknown][] = [
  ['title', 'of 200 emoji', EMOJI.repeat(200)],
  ['title', 'of symbols only', '!? … ¡¿'],
  ['title', 'with white space around it', '  Title\t'],
  ['description', 'of 500 emoji', EMOJI.repeat(500)],
  ['body', 'of 100,000 emoji', EMOJI.repeat(100_000)],
  ['body', 'of lines, signs and marks', '\ufffd\u2028 \r\n\t<script>"\\\'-- 👩‍👩‍👧 e\u0301 \uffff'],
  ['body', 'with directions that end in their paragraph', '\u200f\u2067שלום \u2066world\u2069\u2069\n\u202bסוף\u202c'],
  ['body', 'with characters that break no lines', 'a\u00adb\u2060c\u200bd\ufeff'],
  ['title', 'in two directions', 'The word \u2067שלום\u2069, explained'],
  ['title', 'of joined emoji', '👩🏽\u200d💻'],
  ['tagList', 'of 20 tags', Array.from({ length: 20 }, (_, index) => `tag${index}`)],
  ['tagList', 'with a tag of 50 emoji', [EMOJI.repeat(50)]],
  ['tagList', 'that differs by case', ['Dragon', 'dragon', 'DRAGON']],
  ['tagList', 'of names with a meaning in JavaScript', ['__proto__', 'constructor']],
];

describe('a new article', () => {
  test('is public, with its tags in the given order', async () => {
    const ann = await aUser('ann');
    const input = { title: 'How to train', description: 'd', body: 'b', tagList: ['zebra', 'apple', 'mango'] };
    const created = await executeGraphql(CreateArticleDocument, { as: ann, input });
    expect(created).toSucceed();
    const { data } = await executeGraphql(ArticleDocument, { slug: 'how-to-train' });
    expect(data.article).toMatchObject({ title: 'How to train', tagList: ['zebra', 'apple', 'mango'] });
    expect(data.article?.author.username).toBe('ann');
  });

  test.each(REFUSED)('is refused with a %s %s and stores nothing', async (field, _, value, error, limit) => {
    const response = await create(await aUser(), { tagList: ['new'], [field]: value });
    expect(response).toFailWith(error);
    expect(response.data.createArticle).toMatchObject({ article: null, errors: [{ limit: limit ?? null }] });
    expect(await orm.em.fork().count(Article)).toBe(0);
    expect(await orm.em.fork().count(Tag)).toBe(0);
  });

  test.each(ACCEPTED)('is accepted with a %s %s and stores it unchanged', async (field, _, value) => {
    const { data } = await create(await aUser(), { [field]: value });
    expect(data.createArticle?.errors).toEqual([]);
    const slug = data.createArticle?.article?.slug ?? '';
    expect((await executeGraphql(ArticleDocument, { slug })).data.article).toMatchObject({
      ...content,
      [field]: value,
    });
  });

  test('reports every error at once', async () => {
    const input = { title: '', description: 'x'.repeat(501), body: '\0', tagList: ['', 'good', 'x'.repeat(51)] };
    expect(await create(await aUser(), input)).toFailWith(
      'BLANK input title',
      'TOO_LONG input description',
      'INVALID input body',
      'BLANK input tagList 0',
      'TOO_LONG input tagList 2',
    );
  });

  test('with as many errors as a request can hold reports the first hundred', async () => {
    const response = await create(await aUser(), { tagList: Array(200_000).fill('') });
    expect(response.errors).toBeUndefined();
    expect(response.data.createArticle?.errors).toHaveLength(100);
  });

  test('trims tags and drops duplicates', async () => {
    const { data } = await create(await aUser(), { tagList: [' b ', 'a', 'b', '\ta\n', 'c'] });
    expect(data.createArticle?.article?.tagList).toEqual(['b', 'a', 'c']);
  });

  test('counts only distinct tags toward the limit of 20', async () => {
    const tagList = [...Array.from({ length: 20 }, (_, index) => `tag${index}`), 'tag0', ' tag1 '];
    expect((await create(await aUser(), { tagList })).data.createArticle?.article?.tagList).toHaveLength(20);
  });

  test('has no tags when they are null, [] or absent', async () => {
    const ann = await aUser();
    for (const tags of [{ tagList: null }, { tagList: [] }, {}]) {
      expect((await create(ann, tags)).data.createArticle?.article?.tagList).toEqual([]);
    }
  });

  test('reuses tags of exactly the same name and creates the others', async () => {
    const ann = await aUser();
    await anArticle({ tagList: ['old'] });
    await create(ann, { tagList: ['new', 'old', 'Old'] });
    const tags = await orm.em.fork().find(Tag, {}, { orderBy: { id: 'asc' } });
    expect(tags.map(({ name, articlesCount }) => [name, articlesCount]).toSorted()).toEqual([
      ['Old', 1],
      ['new', 1],
      ['old', 2],
    ]);
  });

  test('with a taken title gets a slug with a suffix', async () => {
    const ann = await aUser();
    const slugs = [];
    for (const title of ['Same title', 'Same title', 'same, TITLE!']) {
      slugs.push((await create(ann, { title })).data.createArticle?.article?.slug);
    }
    expect(slugs[0]).toBe('same-title');
    expect(slugs[1]).toMatch(/^same-title-[\da-f]{10}$/);
    expect(slugs[2]).toMatch(/^same-title-[\da-f]{10}$/);
    expect(new Set(slugs).size).toBe(3);
  });

  test('gets a slug of at most 100 characters, with and without a suffix', async () => {
    const ann = await aUser();
    const title = 'long '.repeat(40);
    for (const _ of [1, 2]) {
      const slug = (await create(ann, { title })).data.createArticle?.article?.slug ?? '';
      expect(slug.length).toBeLessThanOrEqual(100);
      expect((await executeGraphql(ArticleDocument, { slug })).data.article?.title).toBe(title);
    }
  });

  test('with a title of only symbols still gets a slug', async () => {
    const ann = await aUser();
    const slugs = [];
    for (const _ of [1, 2]) slugs.push((await create(ann, { title: '!?' })).data.createArticle?.article?.slug);
    expect(slugs[0]).toMatch(/^article-/);
    expect(slugs[1]).not.toBe(slugs[0]);
  });
});

describe('updating an article', () => {
  test('is allowed only for its author', async () => {
    const article = await anArticle();
    const response = await update(await aUser('bob'), article.slug, { title: 'Mine', tagList: ['mine'] });
    expect(response).toFailWith('FORBIDDEN');
    expect(response.data.updateArticle?.errors).toMatchObject([{ resource: 'ARTICLE', path: null }]);
    expect(await reload(article)).toMatchObject({ title: article.title });
    expect(await orm.em.fork().count(Tag)).toBe(0);
  });

  test('is forbidden before its input is validated', async () => {
    const article = await anArticle();
    expect(await update(await aUser('bob'), article.slug, { title: '' })).toFailWith('FORBIDDEN');
  });

  test.each(REFUSED)('is refused with a %s %s and changes nothing', async (field, _, value, error, limit) => {
    const ann = await aUser();
    const article = await anArticle({ by: ann, tagList: ['old'] });
    const before = await reload(article);
    const response = await update(ann, article.slug, { body: 'New', tagList: ['new'], [field]: value });
    expect(response).toFailWith(error);
    expect(response.data.updateArticle).toMatchObject({ article: null, errors: [{ limit: limit ?? null }] });
    expect(await reload(article)).toEqual(before);
    expect(await orm.em.fork().find(Tag, {})).toMatchObject([{ name: 'old', articlesCount: 1 }]);
  });

  test.each(ACCEPTED)('is accepted with a %s %s', async (field, _, value) => {
    const ann = await aUser();
    const { slug } = await anArticle({ by: ann });
    const { data } = await update(ann, slug, { [field]: value });
    expect(data.updateArticle).toMatchObject({ errors: [], article: { [field]: value } });
  });

  test.each(['title', 'description', 'body', 'tagList'])('refuses null for the %s', async (field) => {
    const ann = await aUser();
    const article = await anArticle({ by: ann, tagList: ['old'] });
    const before = await reload(article);
    expect(await update(ann, article.slug, { [field]: null })).toFailWith(`BLANK input ${field}`);
    expect(await reload(article)).toEqual(before);
  });

  test.each([
    ['title', 'New title'],
    ['description', 'New description'],
    ['body', 'New body'],
    ['tagList', ['new']],
  ])('changes only the %s when nothing else is given', async (field, value) => {
    const ann = await aUser();
    const article = await anArticle({ by: ann, title: 'Old', body: 'Old body', tagList: ['b', 'a'] });
    const { data } = await update(ann, article.slug, { [field]: value });
    const before = { title: 'Old', description: article.description, body: 'Old body', tagList: ['b', 'a'] };
    expect(data.updateArticle?.article).toMatchObject({ ...before, [field]: value });
  });

  test('advances updatedAt each time, even within a millisecond, and keeps createdAt and publishedAt', async () => {
    const ann = await aUser();
    const article = await reload(await anArticle({ by: ann }));
    let last = article.updatedAt.getTime();
    for (const changes of [{ body: 'New' }, { tagList: ['new'] }, { title: 'New' }, { description: 'New' }]) {
      expect(await update(ann, (await reload(article)).slug, changes)).toSucceed();
      const { updatedAt, createdAt, publishedAt } = await reload(article);
      expect(updatedAt.getTime()).toBeGreaterThan(last);
      expect([createdAt, publishedAt]).toEqual([article.createdAt, article.publishedAt]);
      last = updatedAt.getTime();
    }
  });

  test('keeps the slug when the new title has the same one', async () => {
    const ann = await aUser();
    const { slug } = await anArticle({ by: ann, title: 'How to train' });
    for (const changes of [{ body: 'New' }, { title: 'How to train' }, { title: 'How To Train!' }]) {
      expect((await update(ann, slug, changes)).data.updateArticle?.article?.slug).toBe('how-to-train');
    }
  });

  test('keeps a slug with a suffix when the title stays the same', async () => {
    const ann = await aUser();
    await create(ann);
    const slug = (await create(ann)).data.createArticle?.article?.slug ?? '';
    expect((await update(ann, slug, { title: 'Title' })).data.updateArticle?.article?.slug).toBe(slug);
  });

  test('sets the slug of the new title, with a suffix when it is taken', async () => {
    const ann = await aUser();
    await anArticle({ title: 'Taken' });
    await anArticle({ by: ann, title: 'Old' });
    const { data } = await update(ann, 'old', { title: 'Taken' });
    expect(data.updateArticle?.article?.slug).toMatch(/^taken-[\da-f]{10}$/);
    expect((await executeGraphql(ArticleDocument, { slug: 'taken' })).data.article?.author.username).not.toBe(
      ann.username,
    );
  });

  test.each([[['c', 'a', 'b']], [['a', 'x', 'b', 'c']], [['b']], [['y', 'b', 'x']], [[]], [['a', 'b', 'c']]])(
    'sets its tags to %j, in that order, and counts them',
    async (tagList) => {
      const ann = await aUser();
      const { slug } = await anArticle({ by: ann, tagList: ['a', 'b', 'c'] });
      await anArticle({ tagList: ['c'] });
      expect((await update(ann, slug, { tagList })).data.updateArticle?.article?.tagList).toEqual(tagList);
      expect((await executeGraphql(ArticleDocument, { slug })).data.article?.tagList).toEqual(tagList);
      for (const { name, articlesCount } of await orm.em.fork().find(Tag, {})) {
        expect([name, articlesCount]).toEqual([name, Number(tagList.includes(name)) + Number(name === 'c')]);
      }
    },
  );

  test('that does not exist is NOT_FOUND', async () => {
    const ann = await aUser();
    for (const article of [{ slug: 'nowhere' }, { slug: 'a\0' }, { slug: '' }, { id: 'VXNlcjox' }, { id: '1' }]) {
      const response = await executeGraphql(UpdateArticleDocument, { as: ann, input: { article, title: 'New' } });
      expect(response).toFailWith('NOT_FOUND input article');
      expect(response.data.updateArticle?.errors).toMatchObject([{ resource: 'ARTICLE' }]);
    }
  });
});

describe('deleting an article', () => {
  test('deletes its comments and favourites, and updates the counts of its tags', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const article = await anArticle({ by: ann, title: 'Gone', tagList: ['gone', 'both'] });
    const other = await anArticle({ by: ann, title: 'Stays', tagList: ['both'] });
    await aComment({ on: article, by: bob });
    const kept = await aComment({ on: other, by: bob });
    for (const slug of ['gone', 'stays'])
      await executeGraphql(FavoriteArticleDocument, { as: bob, input: { article: { slug } } });

    const { data } = await executeGraphql(DeleteArticleDocument, { as: ann, input: { article: { slug: 'gone' } } });
    const deletedId = Buffer.from(`Article:${article.id}`).toString('base64url');
    expect(data.deleteArticle).toMatchObject({ deletedId, deletedSlug: 'gone', errors: [] });
    expect((await executeGraphql(ArticleDocument, { slug: 'gone' })).data.article).toBeNull();
    expect(await orm.em.fork().find(Comment, {})).toMatchObject([{ id: kept.id }]);
    const left = await executeGraphql<any, object>(
      `{
        user(by: { username: "bob" }) { favorites { nodes { slug } } }
        article(by: { slug: "stays" }) { favoritesCount commentsCount tagList }
        tags { nodes { name articlesCount } }
      }`,
    );
    expect(left.data).toEqual({
      user: { favorites: { nodes: [{ slug: 'stays' }] } },
      article: { favoritesCount: 1, commentsCount: 1, tagList: ['both'] },
      tags: { nodes: [{ name: 'both', articlesCount: 1 }] },
    });
  });

  test('is allowed only for its author', async () => {
    const article = await anArticle();
    const remove = { as: await aUser('bob'), input: { article: { slug: article.slug } } };
    expect(await executeGraphql(DeleteArticleDocument, remove)).toFailWith('FORBIDDEN');
    expect((await reload(article)).id).toBe(article.id);
  });

  test('a second time is NOT_FOUND', async () => {
    const ann = await aUser();
    const { slug } = await anArticle({ by: ann });
    const remove = { as: ann, input: { article: { slug } } };
    expect(await executeGraphql(DeleteArticleDocument, remove)).toSucceed();
    const again = await executeGraphql(DeleteArticleDocument, remove);
    expect(again).toFailWith('NOT_FOUND input article');
    expect(again.data.deleteArticle).toMatchObject({ deletedId: null, deletedSlug: null });
  });

  test('frees its slug', async () => {
    const ann = await aUser();
    await anArticle({ by: ann, title: 'Title' });
    await executeGraphql(DeleteArticleDocument, { as: ann, input: { article: { slug: 'title' } } });
    expect((await create(ann)).data.createArticle?.article?.slug).toBe('title');
  });
});

describe('favourites', () => {
  test('are idempotent to add and to remove', async () => {
    const [ann, bob] = [await aUser('ann'), await aUser('bob')];
    const article = await anArticle({ by: ann });
    const input = { article: { slug: article.slug } };
    await executeGraphql(FavoriteArticleDocument, { as: ann, input });
    for (const _ of [1, 2]) {
      const { data } = await executeGraphql(FavoriteArticleDocument, { as: bob, input });
      expect(data.favoriteArticle?.article).toMatchObject({ favoritesCount: 2, viewerHasFavorited: true });
    }
    for (const _ of [1, 2]) {
      const { data } = await executeGraphql(UnfavoriteArticleDocument, { as: bob, input });
      expect(data.unfavoriteArticle?.article).toMatchObject({ favoritesCount: 1, viewerHasFavorited: false });
    }
  });

  test('do not change updatedAt of the article', async () => {
    const article = await anArticle();
    const before = await reload(article);
    await executeGraphql(FavoriteArticleDocument, { as: await aUser(), input: { article: { slug: article.slug } } });
    expect((await reload(article)).updatedAt).toEqual(before.updatedAt);
  });

  test('of an unknown article are NOT_FOUND', async () => {
    const as = await aUser();
    const input = { article: { slug: 'nowhere' } };
    expect(await executeGraphql(FavoriteArticleDocument, { as, input })).toFailWith('NOT_FOUND input article');
    expect(await executeGraphql(UnfavoriteArticleDocument, { as, input })).toFailWith('NOT_FOUND input article');
  });
});

test('a client that synchronizes reads what changed since it last did', async () => {
  const ann = await aUser('ann');
  const [old, edited] = [await anArticle({ by: ann, title: 'Old' }), await anArticle({ by: ann, title: 'Edited' })];
  const since = new Date(Math.max(old.updatedAt.getTime(), edited.updatedAt.getTime())).toISOString();
  const titles = async (filter: object) => {
    const orderBy = { field: 'UPDATED_AT', direction: 'ASC' } as const;
    const { data } = await executeGraphql(ArticlesDocument, { filter, orderBy });
    return data.articles.edges.map(({ node }) => node.title);
  };
  expect(await titles({ updatedAfter: since })).toEqual([]);
  const { data } = await update(ann, edited.slug, { body: 'Another body.' });
  expect(await titles({ updatedAfter: since })).toEqual(['Edited']);
  expect(await titles({ updatedAfter: since, author: 'ann', tag: 'none' })).toEqual([]);
  expect(await titles({ updatedBefore: data.updateArticle?.article?.updatedAt })).toEqual(['Old']);
  await executeGraphql(FavoriteArticleDocument, { as: ann, input: { article: { slug: old.slug } } });
  expect(await titles({ updatedAfter: since, updatedBefore: '9999-12-31T23:59:59.999Z' })).toEqual(['Edited']);
});
