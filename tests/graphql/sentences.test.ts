import { describe, expect, test } from 'vitest';
import { aComment, anArticle, aUser } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

/** Errors say in a full sentence what is wrong with what. */

/** The sentences of a mutation's errors. */
async function sentences(mutation: string, as?: { token: string }): Promise<string[]> {
  const document = `mutation { payload: ${mutation} { errors { sentence } } }`;
  const response = await executeGraphql<any, object>(document, as ? { as } : {});
  expect(response.errors).toBeUndefined();
  return response.data.payload.errors.map(({ sentence }: { sentence: string }) => sentence);
}

test('fields of an input', async () => {
  const ann = await aUser('ann');
  const fields = 'title: "", description: " ", body: "x", tagList: ["one", ""], coverImage: "nowhere"';
  expect(await sentences(`createArticle(input: { ${fields} })`, ann)).toEqual([
    "The title can't be blank.",
    "The description can't be blank.",
    "Tag 2 can't be blank.",
    'The address of the cover image is invalid.',
  ]);
  const tagList = JSON.stringify(Array.from({ length: 21 }, (_, index) => `tag ${index}`));
  expect(
    await sentences(`createArticle(input: { title: "t", description: "d", body: "b", tagList: ${tagList} })`, ann),
  ).toEqual(['The list of tags has too many items (maximum is 20).']);
  expect(await sentences('register(input: { username: "ann", email: "ann@example.com", password: "short" })')).toEqual([
    'The password is too short (minimum is 8 characters).',
    'The username has already been taken.',
    'The e-mail address has already been taken.',
  ]);
  const { slug } = await anArticle();
  expect(await sentences(`addComment(input: { article: { slug: "${slug}" }, body: "" })`, ann)).toEqual([
    "The text can't be blank.",
  ]);
});

test('what does not exist, and what is not one’s own', async () => {
  const ann = await aUser('ann');
  const article = await anArticle({ title: 'Hers' });
  const { id } = await aComment({ on: article, by: await aUser('bob') });
  const comment = (databaseId: number) => `comment: { inArticle: { slug: "hers", databaseId: ${databaseId} } }`;
  expect(await sentences('deleteArticle(input: { article: { slug: "nowhere" } })', ann)).toEqual([
    'There is no such article, or you may not see it.',
  ]);
  expect(await sentences('followUser(input: { user: { username: "nobody" } })', ann)).toEqual([
    'There is no such user, or you may not see it.',
  ]);
  expect(await sentences(`deleteComment(input: { ${comment(99)} })`, ann)).toEqual([
    'There is no such comment, or you may not see it.',
  ]);
  expect(await sentences('deleteArticle(input: { article: { slug: "hers" } })', ann)).toEqual([
    'You may not change this article, because it is not yours.',
  ]);
  expect(await sentences(`deleteComment(input: { ${comment(id)} })`, ann)).toEqual([
    'You may not change this comment, because it is not yours.',
  ]);
});

test('what is wrong', async () => {
  const ann = await aUser('ann');
  await anArticle({ by: ann, title: 'Mine' });
  expect(await sentences('login(input: { email: "ann@example.com", password: "not hers" })')).toEqual([
    'The e-mail address or the password is wrong.',
  ]);
  expect(await sentences('deleteViewer(input: { password: "not hers" })', ann)).toEqual(['The password is wrong.']);
  expect(await sentences('refreshSession(input: { refreshToken: "none" })')).toEqual(['The refresh token is wrong.']);
  const change = 'updateArticle(input: { article: { slug: "mine" }, title: "New", expectedVersion: 7 })';
  expect(await sentences(change, ann)).toEqual(['The article has changed since you read it.']);
  await orm.em.fork().execute(`update sessions set opened_at = now() - interval '1 hour'`);
  expect(await sentences('updateViewer(input: { password: "another one" })', ann)).toEqual([
    "The current password can't be blank.",
  ]);
});

describe('an error without a payload', () => {
  test.each([
    ['no token', undefined, 'Sign in first: no token came with the request.'],
    ['a bad token', 'nonsense', 'Sign in again: the token is invalid or has expired.'],
    ['no scheme', 'a b', 'The Authorization header must be "Token <jwt>" or "Bearer <jwt>".'],
  ])('for %s', async (_, token, sentence) => {
    const response = await executeGraphql('mutation { logout { ok } }', token ? { as: { token } } : {});
    expect(response.errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED', sentence });
  });

  test('has a message that is one already', async () => {
    const documents = [
      '{ articles(first: 0) { totalCount } }',
      '{ nothing }',
      '{',
      '{ articles(after: "x") { totalCount } }',
    ];
    for (const document of documents) {
      const { errors = [] } = await executeGraphql(document);
      for (const { message } of errors) expect(message, document).toMatch(/^.+\s.+[.?]$|^Syntax Error: /);
    }
  });
});
