import { type ExecutionResult, execute, type GraphQLObjectType, isObjectType, parse } from 'graphql';
import { Article } from '../../src/articles/article.entity.ts';
import { ArticleTag } from '../../src/articles/article-tag.entity.ts';
import { Favorite } from '../../src/articles/favorite.entity.ts';
import { Comment } from '../../src/comments/comment.entity.ts';
import { globalId } from '../../src/graphql/node.ts';
import { Tag } from '../../src/tags/tag.entity.ts';
import { nameKey } from '../../src/text/fold-case.ts';
import { Follow } from '../../src/users/follow.entity.ts';
import { User } from '../../src/users/user.entity.ts';
import { orm } from '../support/test-server.ts';
import { schema } from './lists.ts';
import type { RandomDocument } from './random-documents.ts';
import { type Args, pageOf, refuse, type Value } from './reference-pages.ts';
import { isQuery, matchesQuery, nameMatchesOf, scoreOfName, scoresOfQueries, textMatchesOf } from './searches.ts';

/**
 * Reference implementation of the API: resolves each field over entities in memory. Slow and plain, and it shares no code with
 * the compiler of read plans.
 */
export interface World {
  users: User[];
  articles: Article[];
  tags: Tag[];
  comments: Comment[];
  favorites: Favorite[];
  follows: Follow[];
  articleTags: ArticleTag[];
  /** How relevant the articles are, by query and id. */
  scores: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Cursors that the server has returned, by their order. */
  cursors: ReadonlyMap<string, readonly string[]>;
}

export async function theWorld(): Promise<World> {
  const em = orm.em.fork();
  return {
    users: await em.findAll(User),
    articles: await em.findAll(Article, { populate: ['bodyHtml', 'openingText'] }),
    tags: await em.findAll(Tag),
    comments: await em.findAll(Comment, { populate: ['bodyHtml'] }),
    favorites: await em.findAll(Favorite),
    follows: await em.findAll(Follow),
    articleTags: await em.findAll(ArticleTag, { orderBy: { position: 'asc' } }),
    scores: await scoresOfQueries(),
    cursors: new Map(),
  };
}

export async function referenceResponse(
  world: World,
  { document, variables, operationName, viewer }: RandomDocument & { viewer: { id: number } | null },
): Promise<ExecutionResult> {
  return execute({
    schema,
    document: parse(document),
    variableValues: variables,
    operationName,
    contextValue: { ...world, viewer },
    fieldResolver: (source, args, context, { parentType, fieldName }) => {
      const field = fields[parentType.name]?.[fieldName];
      return field ? field(source, args, context) : source[fieldName];
    },
    typeResolver: (value) => typeOf(value).name,
  });
}

type Context = World & { viewer: { id: number } | null };
type Fields<S> = Record<string, (source: S, args: Args, context: Context) => unknown>;

const query: Fields<unknown> = {
  node: (_, { id }, world) => nodeOf(id, world),
  nodes: (_, { ids }, world) => {
    if (ids.length > 100) refuse('so many nodes');
    return ids.map((id: string) => nodeOf(id, world));
  },
  viewer: (_, _args, { viewer, users }) => viewer && users.find(({ id }) => id === viewer.id),
  user: (_, { by }, { users }) =>
    users.find((user) => (by.id != null ? globalIdOf(user) === by.id : sameName(user.username, by.username))) ?? null,
  article: (_, { by }, world) =>
    world.articles.find(
      (article) =>
        isVisible(article, world) && (by.id != null ? globalIdOf(article) === by.id : article.slug === by.slug),
    ) ?? null,
  tag: (_, { name }, world) =>
    world.tags.find((tag) => isVisible(tag, world) && tag.name === name.normalize('NFC')) ?? null,
  articles: (_, args, world) => articlePage(published(world).filter(matching(args.filter, world)), args, world),
  search: (_, args, world) => searchPage(args, world),
  tags: (_, args, { tags }) => {
    const key = nameKey(args.prefix ?? '');
    const { field, direction } = args.orderBy ?? { field: 'ARTICLES_COUNT', direction: 'DESC' };
    const carried = tags.filter((tag) => tag.articlesCount > 0);
    // A prefix of which nothing is drawn has an empty key, and finds nothing.
    const found = !args.prefix ? carried : carried.filter((tag) => key && tag.nameKey.startsWith(key));
    return pageOf(found, (tag) => (field === 'NAME' ? tag.name : tag.articlesCount), field, direction, args);
  },
};

const user: Fields<User> = {
  id: globalIdOf,
  createdAt: ({ createdAt }) => createdAt.toISOString(),
  viewerIsFollowing: ({ id }, _, { viewer, follows }) =>
    follows.some(({ follower, followed }) => follower.id === viewer?.id && followed.id === id),
  isViewer: ({ id }, _, { viewer }) => id === viewer?.id,
  followersCount: ({ id }, _, { follows }) => follows.filter(({ followed }) => followed.id === id).length,
  followingCount: ({ id }, _, { follows }) => follows.filter(({ follower }) => follower.id === id).length,
  articlesCount: ({ id }, _, world) => published(world).filter(({ author }) => author.id === id).length,
  articles: ({ id }, args, world) =>
    articlePage(
      published(world)
        .filter(({ author }) => author.id === id)
        .filter(matching(args.filter, world)),
      args,
      world,
    ),
  favorites: ({ id }, args, { favorites }) => {
    const mine = favorites.filter(({ user, article }) => user.id === id && isPublished(article));
    return linkPage(mine, ({ article }) => article, 'FAVORITED_AT', args);
  },
  followers: ({ id }, args, { follows }) => {
    const theirs = follows.filter(({ followed }) => followed.id === id);
    return linkPage(theirs, ({ follower }) => follower, 'FOLLOWER_SINCE', args);
  },
  following: ({ id }, args, { follows }) => {
    const mine = follows.filter(({ follower }) => follower.id === id);
    return linkPage(mine, ({ followed }) => followed, 'FOLLOWED_AT', args);
  },
};

const viewer: Fields<User> = {
  user: (source) => source,
  feed: ({ id }, args, world) => {
    const followed = world.follows.filter(({ follower }) => follower.id === id).map((follow) => follow.followed.id);
    return articlePage(
      published(world).filter(({ author }) => followed.includes(author.id)),
      args,
      world,
    );
  },
  drafts: ({ id }, args, world) => {
    const mine = world.articles.filter((article) => article.author.id === id && !isPublished(article));
    return articlePage(mine, { ...args, orderBy: { field: 'UPDATED_AT', direction: 'DESC' } }, world);
  },
};

const article: Fields<Article> = {
  id: globalIdOf,
  createdAt: ({ createdAt }) => createdAt.toISOString(),
  updatedAt: ({ updatedAt }) => updatedAt.toISOString(),
  publishedAt: ({ publishedAt }) => publishedAt?.toISOString() ?? null,
  tags: tagsOf,
  bodyHtml: ({ bodyHtml, body }) => bodyHtml ?? escapedParagraphs(body),
  excerpt: ({ openingText, body }, { length }) =>
    excerptOf(openingText ?? body.replace(/\s+/g, ' ').trim(), length ?? 160),
  readingTimeMinutes: ({ readingTimeMinutes, body }) => readingTimeMinutes ?? Math.ceil([...body].length / (240 * 6)),
  tagList: (source, args, world) => tagsOf(source, args, world).map(({ name }) => name),
  viewerHasFavorited: ({ id }, _, { viewer, favorites }) =>
    favorites.some((favorite) => favorite.user.id === viewer?.id && favorite.article.id === id),
  viewerCanUpdate: ({ author }, _, { viewer }) => author.id === viewer?.id,
  viewerCanDelete: ({ author }, _, { viewer }) => author.id === viewer?.id,
  comments: ({ id }, args, { comments }) => {
    const direction = args.orderBy?.direction ?? 'ASC';
    const about = comments.filter((comment) => comment.article.id === id);
    return pageOf(about, ({ createdAt }) => createdAt.toISOString(), 'CREATED_AT', direction, args);
  },
};

const comment: Fields<Comment> = {
  id: globalIdOf,
  databaseId: ({ id }) => id,
  bodyHtml: ({ bodyHtml, body }) => bodyHtml ?? escapedParagraphs(body),
  createdAt: ({ createdAt }) => createdAt.toISOString(),
  updatedAt: ({ updatedAt }) => updatedAt.toISOString(),
  viewerCanUpdate: ({ author }, _, { viewer }) => viewer !== null && author?.id === viewer.id,
  viewerCanDelete: (source, _, { viewer }) =>
    viewer !== null && (source.author?.id === viewer.id || source.article.author.id === viewer.id),
};

const tag: Fields<Tag> = {
  id: globalIdOf,
  articles: ({ id }, args, world) => {
    const carrying = world.articleTags.filter((link) => link.tag.id === id).map((link) => link.article.id);
    return articlePage(
      published(world).filter((source) => carrying.includes(source.id)),
      args,
      world,
    );
  },
};

/** Of a text that no renderer has seen yet. */
function escapedParagraphs(body: string): string {
  const escaped = body.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<p>${escaped.replaceAll(/(\r?\n){2,}/g, '</p>\n<p>')}</p>`;
}

function excerptOf(text: string, length: number): string {
  if (length < 1 || length > 500) refuse('such a length');
  const characters = [...text];
  if (characters.length <= length) return text;
  const words = characters.slice(0, length).join('').split(' ');
  const begun = words.length > 1 ? words.slice(0, -1).join(' ') : characters.slice(0, length - 1).join('');
  return `${begun}…`;
}

const fields: Record<string, Fields<any>> = {
  Query: query,
  User: user,
  Viewer: viewer,
  Article: article,
  Comment: comment,
  Tag: tag,
};

function globalIdOf(source: Article | User | Comment | Tag): string {
  return globalId(typeOf(source).name, source.id);
}

function typeOf(source: unknown): GraphQLObjectType {
  const entity = [Article, User, Comment, Tag].find((some) => source instanceof some);
  const type = schema.getType(entity?.name ?? '');
  if (!isObjectType(type)) throw new Error(`${String(source)} is not a node.`);
  return type;
}

const nodeOf = (id: string, world: Context) =>
  [...world.users, ...world.articles, ...world.comments, ...world.tags].find(
    (node) => globalIdOf(node) === id && isVisible(node, world),
  ) ?? null;

const isPublished = ({ status }: Article) => status === 'PUBLISHED';

const published = ({ articles }: World) => articles.filter(isPublished);

function isVisible(node: Article | User | Comment | Tag, world: Context): boolean {
  const own = ({ author }: Article) => author.id === world.viewer?.id;
  if (node instanceof Comment) return isVisible(node.article, world);
  if (node instanceof Article) return isPublished(node) || own(node);
  if (node instanceof Tag) {
    return world.articleTags.some(({ tag, article }) => tag === node && (isPublished(article) || own(article)));
  }
  return true;
}

const sameName = (left: string, right: string) => nameKey(left) === nameKey(right);

function tagsOf({ id }: Article, _: Args, { articleTags }: World): Tag[] {
  return articleTags.filter((link) => link.article.id === id).map((link) => link.tag);
}

function matching(filter: Args | null | undefined, world: World) {
  const { tag: one, author, favoritedBy, tagsAny, tagsAll, query } = filter ?? {};
  const { publishedAfter, publishedBefore, updatedAfter, updatedBefore } = filter ?? {};
  if (tagsAny?.length > 20 || tagsAll?.length > 20) refuse('so many tags');
  return (source: Article): boolean => {
    const names = tagsOf(source, {}, world).map(({ name }) => name);
    const fans = world.favorites.filter((favorite) => favorite.article.id === source.id);
    return (
      (!isQuery(query) || matchesQuery(query, source, names)) &&
      (one == null || names.includes(one)) &&
      (author == null || sameName(source.author.username, author)) &&
      (favoritedBy == null || fans.some((fan) => sameName(fan.user.username, favoritedBy))) &&
      (tagsAny == null || tagsAny.some((name: string) => names.includes(name))) &&
      (tagsAll == null || tagsAll.every((name: string) => names.includes(name))) &&
      (publishedAfter == null || instantOf(source) > new Date(publishedAfter)) &&
      (publishedBefore == null || instantOf(source) < new Date(publishedBefore)) &&
      (updatedAfter == null || source.updatedAt > new Date(updatedAfter)) &&
      (updatedBefore == null || source.updatedAt < new Date(updatedBefore))
    );
  };
}

/** Lists by this date hold published articles only, which have one. */
const instantOf = ({ publishedAt }: Article) => publishedAt as Date;

export const articleSortValue = (source: Article, field: string): Value =>
  ({
    PUBLISHED_AT: (source.publishedAt ?? source.createdAt).toISOString(),
    UPDATED_AT: source.updatedAt.toISOString(),
    FAVORITES_COUNT: source.favoritesCount,
    COMMENTS_COUNT: source.commentsCount,
    READ_COUNT: source.readCount,
    TITLE: source.title,
  })[field] ?? '';

function articlePage(articles: Article[], args: Args, world: World) {
  const { filter, orderBy } = args;
  const scores = isQuery(filter?.query) ? world.scores.get(filter.query) : undefined;
  const { field, direction } = orderBy ?? { field: scores ? 'RELEVANCE' : 'PUBLISHED_AT', direction: 'DESC' };
  if (field === 'RELEVANCE' && !scores) refuse('relevance to nothing');
  const sortValue = (source: Article) => scores?.get(source.id) ?? 0;
  const sortValueIn = field === 'RELEVANCE' ? sortValue : (source: Article) => articleSortValue(source, field);
  const page = pageOf(articles, sortValueIn, field, direction, args);
  const found = (node: Article) =>
    scores
      ? textMatchesOf(
          filter.query,
          node,
          tagsOf(node, {}, world).map(({ name }) => name),
        )
      : [];
  return { ...page, edges: page.edges.map((edge) => ({ ...edge, textMatches: found(edge.node) })) };
}

function searchPage({ query, kinds, ...args }: Args, world: World) {
  const scores = new Map<Article | User | Tag, number>();
  const add = (kind: string, rank: number, found: (Article | User | Tag)[], scoreOf: (one: any) => number | null) => {
    if (!isQuery(query) || !(kinds ?? [kind]).includes(kind)) return;
    for (const one of found) {
      const score = scoreOf(one);
      if (score !== null) scores.set(one, score * 8 + rank);
    }
  };
  const relevance = world.scores.get(query);
  add('ARTICLE', 0, published(world).filter(matching({ query }, world)), ({ id }) => 1_000 + (relevance?.get(id) ?? 0));
  const listed = world.tags.filter(({ articlesCount }) => articlesCount > 0);
  add('TAG', 1, listed, ({ name }) => scoreOfName(name, query));
  add('USER', 2, world.users, ({ username }) => scoreOfName(username, query));
  const page = pageOf([...scores.keys()], (one) => scores.get(one) ?? 0, 'SCORE', 'DESC', args);
  const matches = (node: Article | User | Tag) => {
    if (node instanceof Tag) return nameMatchesOf('name', node.name, query);
    if (node instanceof User) return nameMatchesOf('username', node.username, query);
    return textMatchesOf(
      query,
      node,
      tagsOf(node, {}, world).map(({ name }) => name),
    );
  };
  return { ...page, edges: page.edges.map((edge) => ({ ...edge, textMatches: matches(edge.node) })) };
}

function linkPage<L extends { createdAt: Date }, T extends { id: number }>(
  links: L[],
  itemOf: (link: L) => T,
  order: string,
  args: Args,
) {
  const since = new Map(links.map((link) => [itemOf(link), link.createdAt.toISOString()]));
  return pageOf([...since.keys()], (item) => since.get(item) ?? '', order, 'DESC', args);
}
