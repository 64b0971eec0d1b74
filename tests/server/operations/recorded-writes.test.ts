// @module-tag security
import { describe, expect, test } from 'vitest';
import {
  AddCommentDocument,
  CreateArticleDocument,
  FavoriteArticleDocument,
  FollowUserDocument,
  LogoutDocument,
  UnfavoriteArticleDocument,
  UnfollowUserDocument,
} from '../../../schema/generated/graphql.ts';
import { Article } from '../../../src/articles/article.entity.ts';
import { Comment } from '../../../src/comments/comment.entity.ts';
import { Tag } from '../../../src/tags/tag.entity.ts';
import { statementsDuring } from '../../support/statements.ts';
import { anArticle, aSession, aUser } from '../../support/test-data.ts';
import { executeGraphql, type GraphQLResponse, orm } from '../../support/test-server.ts';

const textsDuring = async (act: () => Promise<unknown>) => (await statementsDuring(act)).map(({ text }) => text);

const content = { title: 'New', description: 'd', body: 'b', tagList: ['red', 'blue', 'green'] };

test('mutations that only insert or delete take two messages: what they read, and what they write with the answer', async () => {
  const as = await aUser();
  const { slug } = await anArticle({ tagList: ['red'] });
  const article = { slug };
  const user = { username: (await aUser()).username };
  const mutations: Record<string, () => Promise<GraphQLResponse<unknown>>> = {
    createArticle: () => executeGraphql(CreateArticleDocument, { as, input: content }),
    addComment: () => executeGraphql(AddCommentDocument, { as, input: { article, body: 'Me too.' } }),
    favoriteArticle: () => executeGraphql(FavoriteArticleDocument, { as, input: { article } }),
    unfavoriteArticle: () => executeGraphql(UnfavoriteArticleDocument, { as, input: { article } }),
    followUser: () => executeGraphql(FollowUserDocument, { as, input: { user } }),
    unfollowUser: () => executeGraphql(UnfollowUserDocument, { as, input: { user } }),
  };
  for (const [name, act] of Object.entries(mutations)) {
    const texts = await textsDuring(async () => expect(await act()).toSucceed());
    expect(texts, name).toEqual([
      expect.stringMatching(/^select case when octet_length.* from sessions/s),
      expect.stringMatching(/^select 1 \/ .*; (insert into|delete from) .*; select case when octet_length/s),
    ]);
  }
});

test('the tags of a new article are in the order of its author, also those that are new', async () => {
  await anArticle({ tagList: ['green'] });
  const { data } = await executeGraphql(CreateArticleDocument, { as: await aUser(), input: content });
  expect(data.createArticle?.article?.tagList).toEqual(content.tagList);
  const tags = await orm.em.fork().find(Tag, {}, { orderBy: { name: 'asc' } });
  expect(tags.map(({ name, articlesCount }) => [name, articlesCount])).toEqual([
    ['blue', 1],
    ['green', 2],
    ['red', 1],
  ]);
});

test('texts with the characters of placeholders are stored as they are', async () => {
  const as = await aUser();
  const text = String.raw`What? ?? \? \\? $1 $2 :name '' " \n`;
  const { data } = await executeGraphql(CreateArticleDocument, {
    as,
    input: { title: text, description: text, body: text, tagList: ['?', '$1', String.raw`\?`] },
  });
  const article = data.createArticle?.article;
  expect(article).toMatchObject({ title: text, description: text, body: text, tagList: ['?', '$1', String.raw`\?`] });
  const input = { article: { slug: article?.slug as string }, body: text };
  const comment = await executeGraphql(AddCommentDocument, { as, input });
  expect(comment.data.addComment?.comment).toMatchObject({ body: text });
});

test('a write that fails takes those before it with it, and the connections work afterwards', async () => {
  const as = await aUser();
  await orm.em
    .fork()
    .execute(`create function refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
    create trigger refuse before insert on article_tags execute function refuse()`);
  try {
    for (let n = 0; n < 20; n += 1) {
      const { errors } = await executeGraphql(CreateArticleDocument, { as, input: content });
      expect(errors?.[0]?.message).toBe('Internal server error');
    }
  } finally {
    await orm.em.fork().execute('drop trigger refuse on article_tags; drop function refuse()');
  }
  const em = orm.em.fork();
  expect([await em.count(Article), await em.count(Tag)]).toEqual([0, 0]);
  for (let n = 0; n < 20; n += 1) {
    expect(await executeGraphql(CreateArticleDocument, { as, input: content })).toSucceed();
  }
});

test('bad arguments anywhere in the answer are refused before anything is written', async () => {
  const as = await aUser();
  const { slug } = await anArticle();
  const document = `mutation ($input: AddCommentInput!) { addComment(input: $input) { comment { article { comments(first: -1) { totalCount } } } } }`;
  const { errors } = await executeGraphql(document, { as, input: { article: { slug }, body: 'Me too.' } });
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
  expect(await orm.em.fork().count(Comment)).toBe(0);
});

describe('a session that ends', () => {
  const signedIn = async () => {
    const user = await aUser();
    return { ...user, token: (await aSession(user)).token };
  };

  test('before the mutation: it is refused before it is looked whether the article exists', async () => {
    const as = await signedIn();
    await executeGraphql(LogoutDocument, { as });
    const { errors } = await executeGraphql(FavoriteArticleDocument, { as, input: { article: { slug: 'none' } } });
    expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  });

  test('while a mutation is on its way: nothing is written once the end was acknowledged', async () => {
    const { id, slug } = await anArticle();
    const countOf = (as: { id: number }) => orm.em.fork().count(Comment, { article: id, author: as.id });
    const outcomes = { written: 0, refused: 0 };
    for (let n = 0; n < SESSIONS; n += 10) {
      await Promise.all(
        Array.from({ length: 10 }, async (_, place) => {
          const as = await signedIn();
          const add = () => executeGraphql(AddCommentDocument, { as, input: { article: { slug }, body: 'Me too.' } });
          const end = () => executeGraphql(LogoutDocument, { as });
          // Whichever is sent first, the other overtakes it at times.
          const early = place % 2 === 0 ? end() : null;
          const adding = add();
          expect(await (early ?? end())).toSucceed();
          const acknowledged = await countOf(as);
          const { data, errors } = await adding;
          if (errors) expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
          expect(await countOf(as)).toBe(acknowledged);
          expect(acknowledged).toBe(data?.addComment?.comment ? 1 : 0);
          outcomes[errors ? 'refused' : 'written'] += 1;
        }),
      );
    }
    expect(Math.min(outcomes.written, outcomes.refused), JSON.stringify(outcomes)).toBeGreaterThan(0);
  });
});

/** The long form: ENDED_SESSIONS=1000 npx vitest run tests/server/operations/recorded-writes.test.ts */
const SESSIONS = Number(process.env.ENDED_SESSIONS ?? 100);
