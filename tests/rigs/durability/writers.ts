import { WRONG_COUNTERS } from '../../support/counters.ts';
import { type BlogServer, Unavailable } from './blog-server.ts';
import { GuaranteeBroken, pause, until } from './rig.ts';

/**
 * Clients that write to the blog concurrently, each as fast as the server responds: an article with its tags, a comment,
 * a favourite. Records what was acknowledged, in a process that is not killed.
 */
export class Writers {
  acknowledged: Acknowledged = { articles: [], comments: [], favorites: [] };
  refused = 0;
  private readonly writers: Writer[] = [];
  private isStopped = false;
  private error: Error | undefined;
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
      const { register } = await server.query<{ register: { token: string } }>(REGISTER, { input });
      this.writers.push({ username, token: register.token });
    }
  }

  /** Writes until stopped or until the server is gone; continues while writes are refused. */
  async write(server: BlogServer): Promise<void> {
    this.isStopped = false;
    await Promise.all(this.writers.map((writer) => this.writeAs(writer, server)));
  }

  stop(): void {
    this.isStopped = true;
  }

  /** Waits until `condition` holds; throws if a client received an unexpected response. */
  async until(what: string, condition: () => boolean): Promise<void> {
    await until(what, () => {
      if (this.error !== undefined) throw this.error;
      return condition();
    });
  }

  /** A copy of what was acknowledged until now. */
  snapshot(): Acknowledged {
    const { articles, comments, favorites } = this.acknowledged;
    return { articles: articles.slice(), comments: comments.slice(), favorites: favorites.slice() };
  }

  private async writeAs(writer: Writer, server: BlogServer): Promise<void> {
    while (!this.isStopped) {
      try {
        await this.writeOnce(writer, server);
      } catch (error) {
        if (error instanceof GuaranteeBroken) this.error ??= error;
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
    const { createArticle } = await server.query<Created>(CREATE_ARTICLE, { input }, token);
    const { slug } = createArticle.article;
    this.acknowledged.articles.push(slug);
    const article = { slug: this.lastArticle ?? slug }; // usually another client's
    this.lastArticle = slug;
    const { addComment } = await server.query<Added>(ADD_COMMENT, { input: { article, body: 'Well said.' } }, token);
    this.acknowledged.comments.push(addComment.comment.databaseId);
    await server.query(FAVORITE_ARTICLE, { input: { article } }, token);
    this.acknowledged.favorites.push(`${username} ${article.slug}`);
  }
}

/** Throws if anything acknowledged is missing, or anything is partially written. */
export async function check(server: BlogServer, { articles, comments, favorites }: Acknowledged): Promise<void> {
  await server.withClient(async (client) => {
    const found = async (sql: string) => new Set((await client.query({ text: sql, rowMode: 'array' })).rows.flat());
    expectAll('articles', articles, await found('select slug from articles'));
    expectAll('comments', comments, await found('select id from comments'));
    const pairs = `select username || ' ' || slug from favorites
      join users on users.id = user_id join articles on articles.id = article_id`;
    expectAll('favourites', favorites, await found(pairs));
    const partial = await client.query(
      `select slug from articles left join article_tags on article_id = articles.id group by articles.id having count(tag_id) <> ${TAGS.length}`,
    );
    if (partial.rows.length > 0)
      throw new GuaranteeBroken(`Articles without all of their tags: ${JSON.stringify(partial.rows)}`);
    const wrong = await client.query(WRONG_COUNTERS);
    if (wrong.rows.length > 0) throw new GuaranteeBroken(`Wrong counters: ${JSON.stringify(wrong.rows)}`);
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

function expectAll<T>(what: string, acknowledged: T[], stored: Set<T>): void {
  const lost = acknowledged.filter((one) => !stored.has(one));
  if (lost.length === 0) return;
  throw new GuaranteeBroken(
    `${lost.length} of ${acknowledged.length} acknowledged ${what} are lost: ${lost.slice(0, 5)}…`,
  );
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
