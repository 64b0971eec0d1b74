import { expect, test } from 'vitest';
import { ArticleDocument, CreateArticleDocument, UpdateArticleDocument } from '../../schema/generated/graphql.ts';
import { blog } from '../support/blog.ts';
import { anArticle, aUser, reloaded } from '../support/people.ts';

test('a new article can be read by everybody, with its tags in the order they were given', async () => {
  const ann = await aUser('ann');
  const input = { title: 'How to train', description: 'd', body: 'b', tagList: ['zebra', 'apple', 'mango'] };
  const created = await blog(CreateArticleDocument, { as: ann, input });
  expect(created).toSucceed();
  const { data } = await blog(ArticleDocument, { slug: 'how-to-train' });
  expect(data.article).toMatchObject({ title: 'How to train', tagList: ['zebra', 'apple', 'mango'] });
  expect(data.article?.author.username).toBe('ann');
});

test('only its author updates an article', async () => {
  const article = await anArticle();
  const answer = await blog(UpdateArticleDocument, {
    as: await aUser('bob'),
    input: { article: { slug: article.slug }, title: 'Mine' },
  });
  expect(answer).toFailWith('FORBIDDEN');
  expect(await reloaded(article)).toMatchObject({ title: article.title });
});
