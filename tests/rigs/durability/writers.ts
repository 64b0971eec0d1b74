import { WRONG_COUNTERS } from '../../support/counters.ts';
import { type BlogServer, Unavailable } from './blog-server.ts';
import { Broken, pause, until } from './rig.ts';

/**
 * Clients that write to the blog at the same time, each as fast as it is answered: an article with its tags, a comment,
 * a favourite. What they were told is kept here, in a process that nobody kills.
 */
export class Writers {
  acknowledged: Acknowledged = { articles: [], comments: [], favorites: [] };
  refused = 0;
  private readonly writers: Writer[] = [];
  private isStopped = false;
  private fault: Error | undefined;
  private lastArticle: string | undefined;
  private count = 0;

  get acknowledgements(): number {
    const { articles, comments, favorites } = this.acknowledged;
    return articles.length + comments.length + favorites.length;
  }

  async register(server: BlogServer): Promise<void> {
    for (let n = 0; n < CLIENTS; n += 1) {
      const username = `writer${n}`;
      const input = { username, email: `${username}@example.com`, password: 'a password for rigs' };
      const { register } = await server.ask<{ register: { token: string } }>(REGISTER, { input });
      this.writers.push({ username, token: register.token });
    }
  }

  /** Writes until it is stopped or the server is gone. Being refused for a while is not the end. */
  async write(server: BlogServer): Promise<void> {
    this.isStopped = false;
    await Promise.all(this.writers.map((writer) => this.writeAs(writer, server)));
  }

  stop(): void {
    this.isStopped = true;
  }

  /** Waits until something is so, but not when an answer was none that a client may get. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    await until(what, () => {
      if (this.fault !== undefined) throw this.fault;
      return isSo();
    });
  }

  /** What was acknowledged until now, for a check of a moment that is past by then. */
  noted(): Acknowledged {
    const { articles, comments, favorites } = this.acknowledged;
    return { articles: articles.slice(), comments: comments.slice(), favorites: favorites.slice() };
  }

  private async writeAs(writer: Writer, server: BlogServer): Promise<void> {
    while (!this.isStopped) {
      try {
        await this.writeOnce(writer, server);
      } catch (error) {
        if (error instanceof Broken) this.fault ??= error;
        if (!(error instanceof Unavailable)) return; // the server is gone
        this.refused += 1;
        await pause(20);
      }
    }
  }

  private async writeOnce({ username, token }: Writer, server: BlogServer): Promise<void> {
    this.count += 1;
    const content = { title: `Title ${this.count}`, description: 'What it is about.', body: 'Some text. '.repeat(50) };
    const input = { ...content, tagList: TAGS.map((tag) => `${tag}${this.count % 7}`) };
    const { createArticle } = await server.ask<Created>(CREATE_ARTICLE, { input }, token);
    const { slug } = createArticle.article;
    this.acknowledged.articles.push(slug);
    const article = { slug: this.lastArticle ?? slug }; // mostly another's
    this.lastArticle = slug;
    const { addComment } = await server.ask<Added>(ADD_COMMENT, { input: { article, body: 'Well said.' } }, token);
    this.acknowledged.comments.push(addComment.comment.databaseId);
    await server.ask(FAVORITE_ARTICLE, { input: { article } }, token);
    this.acknowledged.favorites.push(`${username} ${article.slug}`);
  }
}

/** Throws if anything acknowledged is missing, or anything is half there. */
export async function check(server: BlogServer, { articles, comments, favorites }: Acknowledged): Promise<void> {
  await server.connected(async (client) => {
    const found = async (sql: string) => new Set((await client.query({ text: sql, rowMode: 'array' })).rows.flat());
    missing('articles', articles, await found('select slug from articles'));
    missing('comments', comments, await found('select id from comments'));
    const pairs = `select username || ' ' || slug from favorites
      join users on users.id = user_id join articles on articles.id = article_id`;
    missing('favourites', favorites, await found(pairs));
    const half = await client.query(
      `select slug from articles left join article_tags on article_id = articles.id group by articles.id having count(tag_id) <> ${TAGS.length}`,
    );
    if (half.rows.length > 0) throw new Broken(`Articles without all of their tags: ${JSON.stringify(half.rows)}`);
    const wrong = await client.query(WRONG_COUNTERS);
    if (wrong.rows.length > 0) throw new Broken(`Counters that are wrong: ${JSON.stringify(wrong.rows)}`);
  });
}

export interface Acknowledged {
  articles: string[];
  comments: number[];
  favorites: string[];
}

interface Writer {
  username: string;
  token: string;
}

function missing<T>(what: string, acknowledged: T[], there: Set<T>): void {
  const lost = acknowledged.filter((one) => !there.has(one));
  if (lost.length === 0) return;
  throw new Broken(`${lost.length} of ${acknowledged.length} acknowledged ${what} are lost: ${lost.slice(0, 5)}…`);
}

const CLIENTS = 4;
const TAGS = ['first', 'second', 'third'];

const REGISTER = 'mutation ($input: RegisterInput!) { register(input: $input) { token } }';
const CREATE_ARTICLE = 'mutation ($input: CreateArticleInput!) { createArticle(input: $input) { article { slug } } }';
const ADD_COMMENT = 'mutation ($input: AddCommentInput!) { addComment(input: $input) { comment { databaseId } } }';
const FAVORITE_ARTICLE = 'mutation ($input: ArticleInput!) { favoriteArticle(input: $input) { article { slug } } }';

interface Created {
  createArticle: { article: { slug: string } };
}

interface Added {
  addComment: { comment: { databaseId: number } };
}
