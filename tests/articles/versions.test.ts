import { expect, test, vi } from 'vitest';
import {
  ArticleDocument,
  CreateArticleDocument,
  UpdateArticleDocument,
  UpdateCommentDocument,
} from '../../schema/generated/graphql.ts';
import { globalId } from '../../src/graphql/node.ts';
import { aComment, anArticle, aUser } from '../support/test-data.ts';
import { executeGraphql } from '../support/test-server.ts';

test('the version grows by one with every change, and not with a change to what it says already', async () => {
  const ann = await aUser();
  const { slug } = await anArticle({ by: ann, body: 'b', tagList: ['a'] });
  const versions = [];
  for (const changes of [
    { body: 'b' },
    { body: 'c' },
    { tagList: ['a'] },
    { tagList: ['b'] },
    { status: 'DRAFT' as const },
  ]) {
    const input = { article: { slug }, ...changes };
    const { data } = await executeGraphql(UpdateArticleDocument, { as: ann, input });
    versions.push(data.updateArticle?.article?.version);
  }
  expect(versions).toEqual([1, 2, 2, 3, 4]);
});

test('a change to an older version is refused with the current one, and changes nothing', async () => {
  const ann = await aUser();
  const { slug } = await anArticle({ by: ann, body: 'first' });
  const change = (body: string, expectedVersion: number) =>
    executeGraphql(UpdateArticleDocument, { as: ann, input: { article: { slug }, body, expectedVersion } });
  expect(await change('second', 1)).toSucceed();
  const late = await change('lost', 1);
  expect(late).toFailWith('CONFLICT input expectedVersion');
  expect(late.data.updateArticle?.errors).toMatchObject([{ __typename: 'StaleVersionError', currentVersion: 2 }]);
  expect((await executeGraphql(ArticleDocument, { slug })).data.article).toMatchObject({ body: 'second', version: 2 });
});

test('changes are dated by the clock of the database, whatever that of the process says', async () => {
  const ann = await aUser();
  const article = await anArticle({ by: ann });
  const comment = await aComment({ on: article, by: ann });
  const { slug, updatedAt } = article;
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2001-01-01') });
  try {
    const draft = { title: 'Later', description: 'd', body: 'b', status: 'DRAFT' as const };
    const created = await executeGraphql(CreateArticleDocument, { as: ann, input: draft });
    const published = {
      article: { slug: created.data.createArticle?.article?.slug ?? '' },
      status: 'PUBLISHED' as const,
    };
    const answers = await Promise.all([
      executeGraphql(UpdateArticleDocument, { as: ann, input: { article: { slug }, body: 'changed' } }),
      executeGraphql(UpdateArticleDocument, { as: ann, input: published }),
    ]);
    const change = { comment: { id: globalId('Comment', comment.id) }, body: 'changed' };
    const commented = await executeGraphql(UpdateCommentDocument, { as: ann, input: change });
    const dates = [
      ...answers.flatMap(({ data }) => [
        data.updateArticle?.article?.updatedAt,
        data.updateArticle?.article?.publishedAt,
      ]),
      commented.data.updateComment?.comment?.updatedAt,
    ];
    expect(dates.map((date) => String(date) > '2020')).toEqual(Array(5).fill(true));
    expect(new Date(String(dates[0])).getTime()).toBeGreaterThan(updatedAt.getTime());
  } finally {
    vi.useRealTimers();
  }
});

test('of edits that race with the version they have read, each that succeeds raises it by one', async () => {
  const ann = await aUser();
  const { slug } = await anArticle({ by: ann });
  const edit = async (expectedVersion: number, writer: number) => {
    const input = { article: { slug }, body: `${expectedVersion} by ${writer}`, expectedVersion };
    const { data } = await executeGraphql(UpdateArticleDocument, { as: ann, input });
    return data.updateArticle?.article?.version ?? null;
  };
  for (let version = 1; version <= 10; version += 1) {
    const edits = await Promise.all([1, 2, 3, 4].map((writer) => edit(version, writer)));
    expect(edits.filter((after) => after !== null)).toEqual([version + 1]);
  }
});
