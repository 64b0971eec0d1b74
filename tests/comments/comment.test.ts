import { describe, expect, test } from 'vitest';
import {
  AddCommentDocument,
  CommentsDocument,
  DeleteCommentDocument,
  UpdateCommentDocument,
} from '../../schema/generated/graphql.ts';
import { Comment } from '../../src/comments/comment.entity.ts';
import { aComment, anArticle, aUser, reload } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

const EMOJI = '🐉';
const idOf = ({ id }: Comment) => Buffer.from(`Comment:${id}`).toString('base64url');

const REFUSED: [what: string, body: string, code: string, limit: number | null][] = [
  ['empty', '', 'BLANK', null],
  ['of white space', ' \n\t', 'BLANK', null],
  ['of 10,001 characters', 'x'.repeat(10_001), 'TOO_LONG', 10_000],
  ['of 10,001 emoji', EMOJI.repeat(10_001), 'TOO_LONG', 10_000],
  ['with a NUL', 'a\0b', 'INVALID', null],
  ['with half a character', '\ud83d', 'INVALID', null],
  ['of a space of no width', '\u200b', 'BLANK', null],
  ['of letters that fill', '\u3164 \u115f\uffa0', 'BLANK', null],
  ['of a control character', '\u0007', 'INVALID', null],
  ['with an escape sequence', 'a\u001b[31mb', 'INVALID', null],
  ['with a reversed direction', 'a \u202eb\u202c', 'INVALID', null],
  ['with a direction that does not end', 'a \u2066b\n\u2069', 'INVALID', null],
];

const ACCEPTED: [what: string, body: string][] = [
  ['of 10,000 emoji', EMOJI.repeat(10_000)],
  ['of lines and signs', ' \r\n\t<b>"\\ \u2067שלום\u2069 \u200b '],
];

describe('a new comment', () => {
  test('is listed on its article and counted', async () => {
    const { slug } = await anArticle();
    const input = { article: { slug }, body: 'Well said.' };
    const { data } = await executeGraphql(AddCommentDocument, { as: await aUser('bob'), input });
    expect(data.addComment).toMatchObject({
      errors: [],
      article: { commentsCount: 1 },
      comment: { body: 'Well said.', author: { username: 'bob' }, viewerCanUpdate: true, viewerCanDelete: true },
    });
    const { article } = (await executeGraphql(CommentsDocument, { slug })).data;
    expect(article?.comments).toMatchObject({ totalCount: 1, nodes: [{ body: 'Well said.', viewerCanUpdate: false }] });
  });

  test('does not change updatedAt of its article', async () => {
    const article = await anArticle();
    const { updatedAt } = await reload(article);
    await executeGraphql(AddCommentDocument, {
      as: await aUser(),
      input: { article: { slug: article.slug }, body: 'b' },
    });
    expect((await reload(article)).updatedAt).toEqual(updatedAt);
  });

  test.each(REFUSED)('that is %s is refused', async (_, body, code, limit) => {
    const article = await anArticle();
    const response = await executeGraphql(AddCommentDocument, {
      as: await aUser(),
      input: { article: { slug: article.slug }, body },
    });
    expect(response).toFailWith(`${code} input body`);
    expect(response.data.addComment).toMatchObject({ comment: null, article: null, errors: [{ limit }] });
    expect((await reload(article)).commentsCount).toBe(0);
  });

  test.each(ACCEPTED)('%s is stored unchanged', async (_, body) => {
    const { slug } = await anArticle();
    await executeGraphql(AddCommentDocument, { as: await aUser(), input: { article: { slug }, body } });
    expect((await executeGraphql(CommentsDocument, { slug })).data.article?.comments.nodes).toMatchObject([{ body }]);
  });

  test('on an unknown article is NOT_FOUND, whatever its body', async () => {
    const as = await aUser();
    for (const article of [{ slug: 'nowhere' }, { id: 'QXJ0aWNsZTo5OQ' }, { id: 'VXNlcjox' }]) {
      const response = await executeGraphql(AddCommentDocument, { as, input: { article, body: '' } });
      expect(response).toFailWith('NOT_FOUND input article');
    }
  });
});

describe('updating a comment', () => {
  test('changes only the body and updatedAt', async () => {
    const bob = await aUser('bob');
    const comment = await reload(await aComment({ on: await anArticle(), by: bob }));
    const input = { comment: { id: idOf(comment) }, body: 'Better said.' };
    const { data } = await executeGraphql(UpdateCommentDocument, { as: bob, input });
    expect(data.updateComment).toMatchObject({ errors: [], comment: { body: 'Better said.', databaseId: comment.id } });
    const { updatedAt, createdAt } = await reload(comment);
    expect(updatedAt.getTime()).toBeGreaterThan(comment.updatedAt.getTime());
    expect(createdAt).toEqual(comment.createdAt);
  });

  test.each(REFUSED)('to a body that is %s is refused', async (_, body, code) => {
    const bob = await aUser('bob');
    const comment = await aComment({ on: await anArticle(), by: bob });
    const before = await reload(comment);
    const response = await executeGraphql(UpdateCommentDocument, {
      as: bob,
      input: { comment: { id: idOf(comment) }, body },
    });
    expect(response).toFailWith(`${code} input body`);
    expect(await reload(comment)).toEqual(before);
  });

  test("is allowed only for its author, not for the article's", async () => {
    const ann = await aUser('ann');
    const comment = await aComment({ on: await anArticle({ by: ann }), by: await aUser('bob') });
    const response = await executeGraphql(UpdateCommentDocument, {
      as: ann,
      input: { comment: { id: idOf(comment) }, body: 'x' },
    });
    expect(response).toFailWith('FORBIDDEN');
    expect(response.data.updateComment?.errors).toMatchObject([{ resource: 'COMMENT' }]);
    expect((await reload(comment)).body).toBe('Well said.');
  });
});

describe('deleting a comment', () => {
  test('decrements the count and keeps the others', async () => {
    const bob = await aUser('bob');
    const article = await anArticle();
    const [gone, kept] = [await aComment({ on: article, by: bob }), await aComment({ on: article, by: bob })];
    const { data } = await executeGraphql(DeleteCommentDocument, { as: bob, input: { comment: { id: idOf(gone) } } });
    expect(data.deleteComment).toMatchObject({ deletedId: idOf(gone), errors: [], article: { commentsCount: 1 } });
    expect(await orm.em.fork().find(Comment, {})).toMatchObject([{ id: kept.id }]);
  });

  test("is allowed for the article's author too", async () => {
    const ann = await aUser('ann');
    const article = await anArticle({ by: ann });
    const comment = await aComment({ on: article, by: await aUser('bob') });
    const inArticle = { slug: article.slug, databaseId: comment.id };
    expect(await executeGraphql(DeleteCommentDocument, { as: ann, input: { comment: { inArticle } } })).toSucceed();
    expect(await orm.em.fork().count(Comment)).toBe(0);
  });

  test('is forbidden for other users', async () => {
    const comment = await aComment({ on: await anArticle(), by: await aUser('bob') });
    const response = await executeGraphql(DeleteCommentDocument, {
      as: await aUser('cem'),
      input: { comment: { id: idOf(comment) } },
    });
    expect(response).toFailWith('FORBIDDEN');
    expect(response.data.deleteComment).toMatchObject({ deletedId: null, article: null });
    expect(await orm.em.fork().count(Comment)).toBe(1);
  });

  test('reports whether the article or the comment does not exist', async () => {
    const bob = await aUser('bob');
    const [here, elsewhere] = [await anArticle({ by: bob }), await anArticle({ by: bob })];
    const { id: databaseId } = await aComment({ on: elsewhere, by: bob });
    const missing = async (comment: object) => {
      const response = await executeGraphql(DeleteCommentDocument, { as: bob, input: { comment: comment as never } });
      expect(response.data.deleteComment?.errors).toMatchObject([{ code: 'NOT_FOUND' }]);
      const [error] = response.data.deleteComment?.errors ?? [];
      return error?.__typename === 'NotFoundError' && error.resource;
    };
    expect(await missing({ inArticle: { slug: 'nowhere', databaseId } })).toBe('ARTICLE');
    expect(await missing({ inArticle: { slug: here.slug, databaseId } })).toBe('COMMENT');
    expect(await missing({ inArticle: { slug: elsewhere.slug, databaseId: -1 } })).toBe('COMMENT');
    expect(await missing({ id: 'Q29tbWVudDo5OQ' })).toBe('COMMENT');
    expect(await missing({ id: 'QXJ0aWNsZTox' })).toBe('COMMENT');
    expect(await orm.em.fork().count(Comment)).toBe(1);
  });
});
