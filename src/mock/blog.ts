import { slugify } from '../articles/slug.ts';
import { globalId } from '../graphql/node.ts';
import { type PageArgs, parsePageArgs } from '../reading/page-args.ts';
import { demoArticles } from '../seeding/demo/articles.ts';
import { demoUsers } from '../seeding/demo/people.ts';
import { demoFavorites, demoFollows } from '../seeding/demo/reactions.ts';

/** The demo blog, in memory; the same one at every start. */
export class Blog {
  users: User[] = [];
  articles: Article[] = [];
  comments: Comment[] = [];
  follows: { from: User; to: User }[] = [];
  favorites: { from: User; to: Article }[] = [];
  private lastKey = 0;

  constructor() {
    for (const { username, email, bio, image, createdAt } of demoUsers()) {
      this.join({ username, email, bio, image, createdAt });
    }
    for (const demo of demoArticles()) {
      const { title, description, body, tags, publishedAt, updatedAt } = demo;
      const article = this.publish(this.person(demo.author), { title, description, body, tagList: [...tags] });
      Object.assign(article, { createdAt: publishedAt, publishedAt, updatedAt });
      for (const { author, body, saidAt } of demo.comments) {
        Object.assign(this.say(this.person(author), article, body), { createdAt: saidAt, updatedAt: saidAt });
      }
      for (const { user } of demoFavorites(demo)) this.favorites.unshift({ from: this.person(user), to: article });
    }
    for (const { follower, followed } of demoFollows()) {
      this.follows.unshift({ from: this.person(follower), to: this.person(followed) });
    }
  }

  join(account: Pick<User, 'username' | 'email'> & Partial<User>): User {
    const user = { ...this.made('User'), bio: null, image: null, ...account };
    this.users.push(user);
    return user;
  }

  publish(author: User, content: Pick<Article, 'title' | 'description' | 'body' | 'tagList'>): Article {
    const made = this.made('Article');
    const article = { ...made, publishedAt: made.createdAt, author, slug: this.freeSlug(content.title), ...content };
    this.articles.unshift(article);
    return article;
  }

  say(author: User, article: Article, body: string): Comment {
    const comment = { ...this.made('Comment'), databaseId: this.lastKey, author, article, body };
    this.comments.push(comment);
    return comment;
  }

  freeSlug(title: string): string {
    const slug = slugify(title) || 'article';
    return this.articles.some((article) => article.slug === slug) ? `${slug}-${this.lastKey}` : slug;
  }

  userNamed = (name: string) => this.users.find((user) => sameName(user, name));

  tags(): Tag[] {
    const names = new Set(this.articles.flatMap(({ tagList }) => tagList).toSorted());
    return [...names].map((name, place) => ({ __typename: 'Tag', id: globalId('Tag', place + 1), name }));
  }

  private made<T extends string>(__typename: T) {
    this.lastKey += 1;
    const createdAt = new Date();
    return { __typename, id: globalId(__typename, this.lastKey), createdAt, updatedAt: createdAt };
  }

  private person(name: string): User {
    const user = this.userNamed(name);
    if (!user) throw new Error(`The demo speaks of "${name}", whom it does not have.`);
    return user;
  }
}

interface Made<T extends string> {
  readonly __typename: T;
  readonly id: string;
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface User extends Made<'User'> {
  username: string;
  email: string;
  bio: string | null;
  image: string | null;
}

export interface Article extends Made<'Article'> {
  slug: string;
  title: string;
  description: string;
  body: string;
  tagList: string[];
  readonly author: User;
  readonly publishedAt: Date;
}

export interface Comment extends Made<'Comment'> {
  readonly databaseId: number;
  readonly article: Article;
  author: User | null;
  body: string;
}

export type Tag = Pick<Made<'Tag'>, '__typename' | 'id'> & { readonly name: string };

export const sameName = (user: User, name: string) => user.username.toLowerCase() === name.toLowerCase();

/** A page of the list as the real server gives it, and the same complaints about its arguments. */
export function page<T extends { id: string }>(all: readonly T[], args: PageArgs, field: string) {
  const { limit, offset, backward, after, before } = parsePageArgs(args, field, ORDER, 'text');
  const placeOf = ([id]: readonly [unknown, number]) => all.findIndex((item) => item.id === id);
  const from = after ? placeOf(after) + 1 : offset;
  const to = before ? placeOf(before) : all.length;
  const [start, end] = backward ? [Math.max(from, to - limit), to] : [from, Math.min(to, from + limit)];
  const edges = all.slice(start, end).map((node) => ({ node, cursor: cursorOf(node) }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    totalCount: all.length,
    pageInfo: {
      hasNextPage: end < all.length,
      hasPreviousPage: start > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

const cursorOf = ({ id }: { id: string }) => Buffer.from(JSON.stringify([ORDER, id, 0])).toString('base64url');

const ORDER = 'MOCK ASC';
