import type { EntityManager } from '@mikro-orm/postgresql';
import type { Kysely } from 'kysely';
import { Article } from '../../articles/article.entity.ts';
import { ARTICLE_RENDERING } from '../../articles/article.limits.ts';
import { ArticleSlug } from '../../articles/article-slug.entity.ts';
import { ArticleStatus } from '../../articles/article-status.ts';
import { Favorite } from '../../articles/favorite.entity.ts';
import { Comment } from '../../comments/comment.entity.ts';
import { COMMENT_RENDERING } from '../../comments/comment.limits.ts';
import { Markdown } from '../../markdown/markdown.ts';
import type { Tag } from '../../tags/tag.entity.ts';
import { upsertTags } from '../../tags/tag.repository.ts';
import { Follow } from '../../users/follow.entity.ts';
import { User } from '../../users/user.entity.ts';
import { USUAL_SERVER } from '../pictures.ts';
import { ExitCode, SeedError } from '../seed-error.ts';
import { takeSeedLock } from '../seed-lock.ts';
import { type DemoArticle, demoArticles } from './articles.ts';
import { demoUsers } from './people.ts';
import { demoFavorites, demoFollows, demoReadCount } from './reactions.ts';

/**
 * Adds what is missing from the demo blog in one transaction, and returns how many rows it added. The demo recognizes its own
 * rows by `createdAt`, which the API cannot change, and leaves them as they are.
 */
export const addDemoBlog = (em: EntityManager, server = USUAL_SERVER): Promise<Record<string, number>> =>
  em.transactional(async (em) => {
    await takeSeedLock(em.getKysely() as Kysely<unknown>);
    const people = await addPeople(em, server);
    const articles = await addArticles(em, people.all);
    // The rest refers to users and articles by id.
    await em.flush();
    return {
      users: people.added,
      follows: await addFollows(em, people.all),
      articles: articles.added,
      favorites: await addFavorites(em, people.all, articles.all),
      comments: await addComments(em, people.all, articles.all),
    };
  });

/** Rows of the demo, existing and new, by name. */
type Named<T> = ReadonlyMap<string, T>;

async function addPeople(em: EntityManager, server: string): Promise<{ all: Named<User>; added: number }> {
  const people = demoUsers(server);
  const there = await em.find(User, {
    $or: [
      { usernameKey: { $in: people.map(({ usernameKey }) => usernameKey) } },
      { emailKey: { $in: people.map(({ emailKey }) => emailKey) } },
    ],
  });

  const all = new Map<string, User>();
  let added = 0;
  for (const user of people) {
    const conflicts = there.filter((one) => one.usernameKey === user.usernameKey || one.emailKey === user.emailKey);
    const own = conflicts.find((one) => isSameTime(one.createdAt, user.createdAt));
    if (!own && conflicts.length > 0) throw nameTaken('user', user.username, 'the user name or the e-mail address');
    if (!own) em.persist(user);
    added += own ? 0 : 1;
    all.set(user.username, own ?? user);
  }
  return { all, added };
}

async function addArticles(em: EntityManager, people: Named<User>) {
  const articles = demoArticles();
  const slugs = articles.map(({ slug }) => slug);
  const authors = idsOf(people).filter((id) => id !== undefined);
  const there = await em.find(Article, { author: { $in: authors } });
  const taken = await em.find(ArticleSlug, { slug: { $in: slugs } });
  const tags = await addTags(em, articles);

  const all = new Map<string, Article>();
  let added = 0;
  for (const { author, createdAt, updatedAt, tags: names, comments: _, body: source, ...content } of articles) {
    const user = get(people, author);
    const own = there.find((one) => one.author.id === user.id && isSameTime(one.createdAt, createdAt));
    const conflict = taken.find(({ slug }) => slug === content.slug);
    if (!own && conflict) throw nameTaken('article', content.title, `the slug "${content.slug}"`);
    const publishedAt = content.status === ArticleStatus.DRAFT ? null : createdAt;
    const body = await Markdown.render(source, ARTICLE_RENDERING);
    const readCount = demoReadCount(content);
    const article =
      own ?? Object.assign(new Article(user, { ...content, body }), { createdAt, publishedAt, updatedAt, readCount });
    if (!own) article.tags.set(names.map((name) => get(tags, name)));
    if (!own) em.persist(article);
    added += own ? 0 : 1;
    all.set(content.slug, article);
  }
  return { all: all as Named<Article>, added };
}

async function addTags(em: EntityManager, articles: readonly DemoArticle[]): Promise<Named<Tag>> {
  const names = [...new Set(articles.flatMap(({ tags }) => tags))];
  const tags = await upsertTags(em, names);
  return new Map(tags.map((tag, index) => [names[index] as string, tag]));
}

async function addFollows(em: EntityManager, people: Named<User>): Promise<number> {
  const there = await em.find(Follow, { follower: { $in: idsOf(people) } });
  const known = new Set(there.map(({ follower, followed }) => `${follower.id} ${followed.id}`));
  const missing = demoFollows()
    .map(({ createdAt, ...who }) => {
      return { follower: get(people, who.follower).id, followed: get(people, who.followed).id, createdAt };
    })
    .filter(({ follower, followed }) => !known.has(`${follower} ${followed}`));
  await em.insertMany(Follow, missing);
  return missing.length;
}

async function addFavorites(em: EntityManager, people: Named<User>, articles: Named<Article>): Promise<number> {
  const there = await em.find(Favorite, { article: { $in: idsOf(articles) } });
  const known = new Set(there.map(({ user, article }) => `${user.id} ${article.id}`));
  const missing = demoArticles()
    .flatMap((demo) => {
      const article = get(articles, demo.slug).id;
      return demoFavorites(demo).map(({ user, createdAt }) => ({ user: get(people, user).id, article, createdAt }));
    })
    .filter(({ user, article }) => !known.has(`${user} ${article}`));
  await em.insertMany(Favorite, missing);
  return missing.length;
}

/** A comment is recognized without its author, since it outlives a deleted account. */
async function addComments(em: EntityManager, people: Named<User>, articles: Named<Article>): Promise<number> {
  const there = await em.find(Comment, { article: { $in: idsOf(articles) } });
  const known = new Set(there.map(({ article, createdAt }) => `${article.id} ${createdAt.getTime()}`));
  const missing = demoArticles()
    .flatMap(({ slug, comments }) =>
      comments.map(({ author, body, createdAt }) => {
        const who = { article: get(articles, slug).id, author: get(people, author).id };
        return { ...who, body, createdAt, updatedAt: createdAt };
      }),
    )
    .filter(({ article, createdAt }) => !known.has(`${article} ${createdAt.getTime()}`));
  const rendered = missing.map(async ({ body, ...comment }) => ({
    ...comment,
    ...(await Markdown.render(body, COMMENT_RENDERING)).columns(),
  }));
  await em.insertMany(Comment, await Promise.all(rendered));
  return missing.length;
}

const idsOf = (rows: Named<{ readonly id: number }>): number[] => [...rows.values()].map(({ id }) => id);

function get<T>(rows: Named<T>, name: string): T {
  const row = rows.get(name);
  if (!row) throw new Error(`The demo refers to "${name}", which it does not define.`);
  return row;
}

const isSameTime = (left: Date, right: Date) => left.getTime() === right.getTime();

const nameTaken = (kind: string, name: string, what: string) =>
  new SeedError(
    ExitCode.NAME_TAKEN,
    `The demo's ${kind} "${name}" cannot be added: ${what} is taken. Nothing was added. ` +
      'Rename the existing one, or use another database for the demo.',
  );
