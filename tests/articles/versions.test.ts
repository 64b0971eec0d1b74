import { expect, test } from 'vitest';
import { ArticleDocument, UpdateArticleDocument } from '../../schema/generated/graphql.ts';
import { anArticle, aUser } from '../support/test-data.ts';
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
