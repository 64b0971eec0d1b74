import { Article } from '../../src/articles/article.entity.ts';
import { ARTICLE_RENDERING } from '../../src/articles/article.limits.ts';
import { slugify } from '../../src/articles/slug.ts';
import { hashPassword } from '../../src/auth/password.ts';
import type { SignInTokens } from '../../src/auth/sessions.ts';
import { Comment } from '../../src/comments/comment.entity.ts';
import { COMMENT_RENDERING } from '../../src/comments/comment.limits.ts';
import { Markdown } from '../../src/markdown/markdown.ts';
import { upsertTags } from '../../src/tags/tag.repository.ts';
import { User } from '../../src/users/user.entity.ts';
import { orm, sessions } from './test-server.ts';

/** Test data that is inserted without the API, so that a test exercises one thing. Names are distinct unless given. */

export const PASSWORD = 'password123';

export interface Person {
  id: number;
  username: string;
  email: string;
  token: string;
  refreshToken: string;
}

export async function aUser(username = `user${next()}`): Promise<Person> {
  const em = orm.em.fork();
  hashed ??= hashPassword(PASSWORD);
  const user = new User({ username, email: `${username}@example.com`, passwordHash: await hashed });
  await em.persist(user).flush();
  const { token, refreshToken } = await aSession(user);
  return { id: user.id, username, email: user.email, token, refreshToken };
}

/** Another session of the user. Its tokens are signed by the server of the test unless others are given. */
export async function aSession({ id }: { id: number }, signedBy = sessions): Promise<SignInTokens> {
  const em = orm.em.fork();
  const { passwordHash } = await em.findOneOrFail(User, id, { populate: ['passwordHash'] });
  return (await signedBy.open(em, { id }, passwordHash)) as SignInTokens;
}

export const articleBody = (source = 'Some body.') => Markdown.render(source, ARTICLE_RENDERING);

export const commentBody = (source = 'Well said.') => Markdown.render(source, COMMENT_RENDERING);

export async function anArticle(parts: { by?: Person; title?: string; body?: string; tagList?: string[] } = {}) {
  const { by = await aUser(), title = `Title ${next()}`, tagList = [] } = parts;
  const body = await articleBody(parts.body);
  return orm.em.fork().transactional(async (em) => {
    const content = { title, description: 'What it is about.', body, slug: slugify(title) };
    const article = new Article(em.getReference(User, by.id), content);
    article.tags.set(await upsertTags(em, tagList));
    await em.persist(article).flush();
    return article;
  });
}

export async function aComment({ on, by, body }: { on: Article; by: Person; body?: string }) {
  const em = orm.em.fork();
  const [article, author] = [em.getReference(Article, on.id), em.getReference(User, by.id)];
  const comment = new Comment(article, author, await commentBody(body));
  await em.persist(comment).flush();
  return comment;
}

/** The row as it is now in the database. */
export const reload = <T extends Article | Comment | User>(entity: T): Promise<T> =>
  orm.em.fork().findOneOrFail(entity.constructor as new () => T, entity.id as never, { populate: ['*'] as never });

let hashed: Promise<string> | undefined;
let count = 0;
const next = () => {
  count += 1;
  return count;
};
