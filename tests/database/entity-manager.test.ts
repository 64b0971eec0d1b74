import type { EntityManager } from '@mikro-orm/postgresql';
import { expect, test } from 'vitest';
import { Article } from '../../src/articles/article.entity.ts';
import { Comment } from '../../src/comments/comment.entity.ts';
import { Tag } from '../../src/tags/tag.entity.ts';
import { User } from '../../src/users/user.entity.ts';
import { statementsDuring } from '../support/statements.ts';
import { anArticle, articleBody, aUser, commentBody, reload } from '../support/test-data.ts';
import { orm } from '../support/test-server.ts';

const textsDuring = async (act: () => Promise<unknown>) => (await statementsDuring(act)).map(({ text }) => text);

/** A persisted comment, not flushed yet. */
async function newComment(em: EntityManager): Promise<Comment> {
  const [{ id: author }, article] = [await aUser(), await anArticle()];
  const comment = new Comment(em.getReference(Article, article.id), em.getReference(User, author), await commentBody());
  em.persist(comment);
  return comment;
}

test('writes one row with one statement, without a transaction', async () => {
  const em = orm.em.fork();
  const comment = await newComment(em);
  const [insert, ...more] = await textsDuring(() => em.flush());
  expect(insert).toMatch(/^insert into "comments"/);
  comment.change(await commentBody('Not me.'));
  const [update, ...others] = await textsDuring(() => em.flush());
  expect(update).toMatch(/^update "comments"/);
  em.remove(comment);
  const [remove, ...rest] = await textsDuring(() => em.flush());
  expect(remove).toMatch(/^delete from "comments"/);
  expect([...more, ...others, ...rest]).toEqual([]);
});

test('sends nothing when there are no changes', async () => {
  expect(await textsDuring(() => orm.em.fork().flush())).toEqual([]);
});

test('writes two rows in a transaction', async () => {
  const em = orm.em.fork();
  await newComment(em);
  await newComment(em);
  const texts = await textsDuring(() => em.flush());
  expect(texts).toEqual([expect.stringMatching(/^begin; insert into "comments"/), 'commit']);
});

test('rolls back the first statement of a flush when the second fails, and the next flush works', async () => {
  const em = orm.em.fork();
  const article = await em.findOneOrFail(Article, (await anArticle({ title: 'As it was' })).id);
  await newComment(em);
  article.title = '';
  const texts = await textsDuring(() => expect(em.flush()).rejects.toThrow('articles_title_length'));
  expect(texts).toEqual([
    expect.stringMatching(/^begin; insert into "comments"/),
    expect.stringMatching(/^update "articles"/),
    'rollback',
  ]);
  const after = orm.em.fork();
  expect(await after.count(Comment)).toBe(0);
  expect(await after.findOneOrFail(Article, article.id)).toMatchObject({ title: 'As it was', commentsCount: 0 });

  article.title = 'Changed';
  await em.flush();
  expect(await reload(article)).toMatchObject({ title: 'Changed' });
});

test('writes a row with its collection in a transaction', async () => {
  const em = orm.em.fork();
  const [{ id: author }, tag] = [await aUser(), new Tag()];
  Object.assign(tag, { name: 'red' });
  await em.persist(tag).flush();
  const content = { slug: 's', title: 't', description: 'd', body: await articleBody() };
  const article = new Article(em.getReference(User, author), content);
  article.tags.add(tag);
  const texts = await textsDuring(() => em.persist(article).flush());
  expect(texts).toEqual([
    expect.stringMatching(/^begin; insert into "articles"/),
    expect.stringMatching(/^insert into "article_tags"/),
    'commit',
  ]);
});

test('a flush inside a transaction begins no other one', async () => {
  const texts = await textsDuring(() =>
    orm.em.fork().transactional(async (em) => {
      em.persist(Object.assign(new Tag(), { name: 'red' }));
      await em.flush();
      em.persist(Object.assign(new Tag(), { name: 'blue' }));
    }),
  );
  expect(texts).toHaveLength(3);
  expect(texts.at(-1)).toBe('commit');
});

test('rejects a second flush of an entity manager while one is running', async () => {
  const em = orm.em.fork();
  await newComment(em);
  const [first, second] = await Promise.allSettled([em.flush(), em.flush()]);
  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({ reason: { message: expect.stringContaining('is being flushed') } });
});
