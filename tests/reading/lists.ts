import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLEnumType,
  type GraphQLField,
  getNamedType,
  isInputObjectType,
  isObjectType,
} from 'graphql';
import { globalId, localId } from '../../src/graphql/node.ts';
import { aUser, type Person } from '../support/test-data.ts';
import { executeGraphql, orm } from '../support/test-server.ts';

/**
 * Every list of the schema, with its expected content in plain SQL. `ann` writes, `bob` follows and favourites, `cyd`'s
 * rows belong to no filtered list. Sort keys have few values, so that every list is full of ties.
 */

export interface List {
  /** `User.articles`, with its order and filter. */
  readonly name: string;
  readonly field: string;
  readonly node: Node;
  /** The connection field with its own arguments. */
  readonly ask: string;
  readonly around: (connection: string) => string;
  /** Selects the ids in the list's order. */
  readonly sql: string;
}

type Node = 'Article' | 'User' | 'Comment' | 'Tag';

export const schema = buildSchema(readFileSync('schema/schema.graphql', 'utf8'));

/** The fields that return a connection, as `Type.field`. */
export const connectionFields: readonly string[] = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type))
  .flatMap((type) =>
    Object.values(type.getFields())
      .filter(isConnection)
      .map((field) => `${type.name}.${field.name}`),
  )
  .toSorted();

function isConnection(field: GraphQLField<unknown, unknown>): boolean {
  const type = getNamedType(field.type);
  return isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Connection');
}

interface Shape {
  node: Node;
  around: (connection: string) => string;
  from: string;
  id: string;
  /** The column of the list's fixed order, or of each value of its `orderBy`. */
  sort: string | Record<string, string>;
  /** The default order. */
  preset?: string;
  /** Arguments that it always has. */
  args?: Record<string, string>;
  /** A condition for every argument, or field of `filter`. */
  filters?: Record<string, readonly [value: string, sql: string]>;
}

const BY = { ann: `user(by: { username: "ann" })`, bob: `user(by: { username: "bob" })` };

const articleSort = {
  PUBLISHED_AT: 'a.published_at',
  UPDATED_AT: 'a.updated_at',
  FAVORITES_COUNT: 'a.favorites_count',
  COMMENTS_COUNT: 'a.comments_count',
  READ_COUNT: 'a.read_count',
  TITLE: 'a.title collate "und-x-icu"',
  RELEVANCE: `(select (ts_rank(vector, query, 32) * 1000000)::int + case when ts_filter(vector, '{a}') @@ query then 1000000 else 0 end
    from article_search, to_tsquery('simple', 'titl') as query where article_id = a.id)`,
};
const carries = (...names: string[]) =>
  `a.id in (select article_id from article_tags t join tags on tags.id = tag_id where name in ('${names.join("','")}'))`;
const userId = (name: string) => `(select id from users where username = '${name}')`;
const articleFilters = {
  query: ['"Title"', `a.id in (select article_id from article_search where vector @@ 'titl'::tsquery)`],
  tag: ['"red"', carries('red')],
  author: ['"ANN"', `a.author_id = ${userId('ann')}`],
  favoritedBy: ['"Bob"', `a.id in (select article_id from favorites where user_id = ${userId('bob')})`],
  tagsAny: ['["blue", "green"]', carries('blue', 'green')],
  tagsAll: ['["red", "blue"]', `${carries('red')} and ${carries('blue')}`],
  publishedAfter: ['"2026-01-01T00:00:00.000Z"', `a.published_at > '2026-01-01Z'`],
  publishedBefore: ['"2026-01-03T00:00:00.000Z"', `a.published_at < '2026-01-03Z'`],
  updatedAfter: ['"2026-01-01T00:00:00.000Z"', `a.updated_at > '2026-01-01Z'`],
  updatedBefore: ['"2027-01-01T00:00:00.000Z"', `a.updated_at < '2027-01-01Z'`],
} as const;

/** The order of a search. */
const RANKED = 'RELEVANCE';

const PUBLISHED = "a.status = 'PUBLISHED'";

const shapes: Record<string, Shape> = {
  'Query.articles': {
    node: 'Article',
    around: (connection) => connection,
    from: `articles a where ${PUBLISHED}`,
    id: 'a.id',
    sort: articleSort,
    preset: 'PUBLISHED_AT DESC',
    filters: articleFilters,
  },
  'User.articles': {
    node: 'Article',
    around: (connection) => `${BY.ann} { ${connection} }`,
    from: `articles a where ${PUBLISHED} and a.author_id = ${userId('ann')}`,
    id: 'a.id',
    sort: articleSort,
    preset: 'PUBLISHED_AT DESC',
    filters: articleFilters,
  },
  'User.favorites': {
    node: 'Article',
    around: (connection) => `${BY.bob} { ${connection} }`,
    from: `articles a join favorites f on f.article_id = a.id where ${PUBLISHED} and f.user_id = ${userId('bob')}`,
    id: 'a.id',
    sort: 'f.created_at',
  },
  'User.followers': {
    node: 'User',
    around: (connection) => `${BY.ann} { ${connection} }`,
    from: `follows where followed_id = ${userId('ann')}`,
    id: 'follower_id',
    sort: 'created_at',
  },
  'User.following': {
    node: 'User',
    around: (connection) => `${BY.ann} { ${connection} }`,
    from: `follows where follower_id = ${userId('ann')}`,
    id: 'followed_id',
    sort: 'created_at',
  },
  'Viewer.feed': {
    node: 'Article',
    around: (connection) => `viewer { ${connection} }`,
    from: `articles a where ${PUBLISHED} and a.author_id in (select followed_id from follows where follower_id = ${userId('bob')})`,
    id: 'a.id',
    sort: 'a.published_at',
  },
  'Viewer.drafts': {
    node: 'Article',
    around: (connection) => `viewer { ${connection} }`,
    from: `articles a where a.status = 'DRAFT' and a.author_id = ${userId('bob')}`,
    id: 'a.id',
    sort: 'a.updated_at',
  },
  'Article.comments': {
    node: 'Comment',
    around: (connection) => `article(by: { slug: "article-1" }) { ${connection} }`,
    from: `comments where article_id = (select id from articles where slug = 'article-1')`,
    id: 'id',
    sort: { CREATED_AT: 'created_at' },
    preset: 'CREATED_AT ASC',
  },
  'Tag.articles': {
    node: 'Article',
    around: (connection) => `tag(name: "red") { ${connection} }`,
    from: `articles a where ${PUBLISHED} and ${carries('red')}`,
    id: 'a.id',
    sort: articleSort,
    preset: 'PUBLISHED_AT DESC',
  },
  // Of articles alone. Those of several kinds are in search-names.test.ts.
  'Query.search': {
    node: 'Article',
    around: (connection) => connection,
    from: `articles a where ${PUBLISHED} and ${articleFilters.query[1]}`,
    id: 'a.id',
    sort: articleSort.RELEVANCE,
    args: { query: articleFilters.query[0], kinds: '[ARTICLE]' },
  },
  'Query.tags': {
    node: 'Tag',
    around: (connection) => connection,
    from: 'tags where articles_count > 0',
    id: 'id',
    sort: { ARTICLES_COUNT: 'articles_count', NAME: 'name collate "und-x-icu"' },
    preset: 'ARTICLES_COUNT DESC',
    filters: { prefix: ['"TAG"', `name like 'tag%'`] },
  },
};

/** The lists of the table below, to compare with the schema. */
export const tableOfLists: readonly string[] = Object.keys(shapes).toSorted();

/** Every list in every order and direction, and with each of its filters. */
export const lists: readonly List[] = Object.entries(shapes).flatMap(([field, shape]) => [
  ...ordersOf(field, shape).map((order) =>
    listOf(field, shape, order, order?.startsWith(RANKED) ? 'query' : undefined),
  ),
  ...filtersOf(field).map((filter) => listOf(field, shape, null, filter)),
]);

/** Each list once, without order or filter. */
export const plainLists: readonly List[] = Object.entries(shapes).map(([field, shape]) => listOf(field, shape, null));

/** Null, for the default order, and every value of `orderBy`. */
export function ordersOf(field: string, { sort } = shapeOf(field)): (string | null)[] {
  if (typeof sort === 'string') return [null];
  const orderBy = getNamedType(argument(field, 'orderBy')?.type);
  const orderField = isInputObjectType(orderBy) ? getNamedType(orderBy.getFields().field?.type) : undefined;
  const names = (orderField as GraphQLEnumType)
    .getValues()
    .map(({ name }) => name)
    .filter((name) => name !== RANKED || argument(field, 'filter')); // only a search is ranked
  return [null, ...names.flatMap((name) => [`${name} ASC`, `${name} DESC`])];
}

/** Arguments that filter a list, and each field of `filter`. */
function filtersOf(field: string): string[] {
  const paging = ['first', 'after', 'last', 'before', 'offset', 'orderBy', 'filter'];
  const filter = getNamedType(argument(field, 'filter')?.type);
  const fixed = Object.keys(shapeOf(field).args ?? {});
  return [
    ...fieldOf(field)
      .args.map(({ name }) => name)
      .filter((name) => ![...paging, ...fixed].includes(name)),
    ...(isInputObjectType(filter) ? Object.keys(filter.getFields()) : []),
  ];
}

function listOf(field: string, shape: Shape, order: string | null, filter?: string): List {
  const { node, around, from, id, sort, preset } = shape;
  const fixedArguments = Object.entries(shape.args ?? {}).map(([name, value]) => `${name}: ${value}`);
  const usual = filter === 'query' ? `${RANKED} DESC` : preset;
  const [orderField = '', direction = 'DESC'] = (order ?? usual ?? ' DESC').split(' ');
  const column = typeof sort === 'string' ? sort : sort[orderField];
  const [value, condition] = filter ? (shape.filters?.[filter] ?? []) : [undefined, 'true'];
  if (!column || !condition) throw new Error(`${field}: lists.ts has no SQL for ${filter ?? order}.`);
  const given = filter && (argument(field, filter) ? `${filter}: ${value}` : `filter: { ${filter}: ${value} }`);
  return {
    name: [field, order, filter].filter(Boolean).join(' '),
    field,
    node,
    ask: [...fixedArguments, order && `orderBy: { field: ${orderField}, direction: ${direction} }`, given]
      .filter(Boolean)
      .join(', '),
    around,
    sql: `select ${id} as id from ${from} and ${condition} order by ${column} ${direction}, ${id} ${direction}`,
  };
}

function shapeOf(field: string): Shape {
  const shape = shapes[field];
  if (!shape) throw new Error(`${field} is not in the table of lists.`);
  return shape;
}

function fieldOf(name: string): GraphQLField<unknown, unknown> {
  const [typeName = '', fieldName = ''] = name.split('.');
  const type = schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
  if (!field) throw new Error(`${name} is in the table of lists but not in the schema.`);
  return field;
}

function argument(field: string, name: string) {
  return fieldOf(field).args.find((arg) => arg.name === name);
}

export interface ReadPage {
  nodes: { id: string }[];
  edges: { cursor: string; node: { id: string } }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  totalCount: number;
}

/** The document that queries one page. */
export const documentFor = ({ field, ask, around }: List, paging: string): string =>
  `{ ${around(
    `${field.split('.')[1]}(${[ask, paging].filter(Boolean).join(', ')}) {
    nodes { ... on Node { id } }
    edges { cursor node { ... on Node { id } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }`,
  )} }`;

export async function readPage(list: List, viewer: Person, paging: string): Promise<ReadPage> {
  const response = await executeGraphql<Record<string, object>, object>(documentFor(list, paging), { as: viewer });
  if (response.errors) throw new Error(`${list.name}(${paging}): ${JSON.stringify(response.errors)}`);
  return connectionIn(response.data);
}

function connectionIn(data: object): ReadPage {
  const [inside] = Object.values(data) as [object];
  return 'pageInfo' in inside ? (inside as ReadPage) : connectionIn(inside);
}

/** The current ids of the list, in order. */
export async function idsOf({ node, sql }: List): Promise<string[]> {
  const rows: { id: number }[] = await execute(sql);
  return rows.map(({ id }) => globalId(node, id));
}

/** Runs statements that are separated by a semicolon at the end of a line. Returns the rows of the last. */
export async function execute<T = never>(sql: string): Promise<T[]> {
  let rows: T[] = [];
  for (const statement of sql.split(/;\n/).filter((text) => text.trim() !== '')) {
    rows = await orm.em.fork().execute(statement);
  }
  return rows;
}

/** Eleven items in every list, and as many rows that only unfiltered lists contain. Returns bob. */
export async function aBlogFullOfTies(): Promise<Person> {
  await aUser('ann');
  const bob = await aUser('bob');
  await execute(`
    insert into users (username, username_key, email, email_key, password_hash) values ('cyd', 'cyd', 'c@d', 'c@d', '-');
    insert into follows (follower_id, followed_id) values (${userId('bob')}, ${userId('ann')});
    insert into tags (name) values ('red'), ('blue'), ('gray');
    insert into tags (name, articles_count) values ('none', 0);
  `);
  await addFans(1, 11);
  await addTags(1, 11);
  await addArticles('ann', 1, 11);
  await addArticles('cyd', 12, 22);
  await addDrafts(1, 11);
  await addComments(1, 11);
  await execute(`insert into comments (body, article_id, author_id) select 'No.', id, author_id from articles`);
  return bob;
}

/** Articles by ann are in every list, articles by cyd only in unfiltered ones. Sort keys repeat every few numbers. */
export async function addArticles(author: 'ann' | 'cyd', from: number, to: number): Promise<void> {
  const published =
    author === 'ann' ? `timestamptz '2026-01-02Z'` : `timestamptz '2025-12-31Z' + n % 2 * interval '9 d'`;
  const tags = author === 'ann' ? "'red', 'blue'" : "case n % 2 when 0 then 'blue' else 'gray' end";
  await execute(`
    insert into articles
      (slug, title, description, body, author_id, published_at, updated_at, favorites_count, comments_count, read_count)
      select 'article-' || n, 'Title ' || chr(97 + n % 3), 'd', 'b', ${userId(author)},
        ${published} + n % 4 * interval '1 ms', timestamptz '2026-02-01Z' + n % 3 * interval '1 ms', n % 3, n % 2, n % 4
      from generate_series(${from}, ${to}) n;
    insert into article_tags (article_id, tag_id)
      select articles.id, tags.id from generate_series(${from}, ${to}) n
      join articles on slug = 'article-' || n join tags on tags.name in (${tags}) order by 1, 2 desc;
  `);
  if (author === 'cyd') return;
  await execute(`
    insert into favorites (user_id, article_id, created_at)
      select ${userId('bob')}, articles.id, timestamptz '2026-01-01Z' + n % 3 * interval '1 ms'
      from generate_series(${from}, ${to}) n join articles on slug = 'article-' || n
  `);
}

/** Drafts by bob, in no other list though they are tagged and he has favourited them. */
async function addDrafts(from: number, to: number): Promise<void> {
  await execute(`
    insert into articles (slug, title, description, body, author_id, status, updated_at)
      select 'draft-' || n, 'Draft', 'd', 'b', ${userId('bob')}, 'DRAFT', timestamptz '2026-02-01Z' + n % 3 * interval '1 ms'
      from generate_series(${from}, ${to}) n;
    insert into article_tags (article_id, tag_id)
      select articles.id, tags.id from articles, tags where status = 'DRAFT' and tags.name in ('red', 'none');
    insert into favorites (user_id, article_id) select author_id, id from articles where status = 'DRAFT'
  `);
}

/** Users who follow ann and whom she follows. */
async function addFans(from: number, to: number): Promise<void> {
  await execute(`
    insert into users (username, username_key, email, email_key, password_hash)
      select name, name, name || '@e.com', name || '@e.com', '-'
      from generate_series(${from}, ${to}) n, lateral (select 'fan' || n as name) fan;
    insert into follows (follower_id, followed_id, created_at)
      select one, other, timestamptz '2027-01-01Z' + n % 3 * interval '1 ms'
      from generate_series(${from}, ${to}) n join users on username = 'fan' || n,
      lateral (values (id, ${userId('ann')}), (${userId('ann')}, id), (${userId('cyd')}, id)) pair (one, other);
  `);
}

/** Comments on ann's first article. */
async function addComments(from: number, to: number): Promise<void> {
  await execute(`
    insert into comments (body, article_id, author_id, created_at)
      select 'So it is.', (select id from articles where slug = 'article-1'), ${userId('cyd')},
        timestamptz '2027-01-01Z' + n % 3 * interval '1 ms'
      from generate_series(${from}, ${to}) n
  `);
}

async function addTags(from: number, to: number): Promise<void> {
  await execute(`
    insert into tags (name, name_key, articles_count)
      select name, name, 2 + n % 2
      from generate_series(${from}, ${to}) n, lateral (select 'tag' || chr(97 + n % 7) || n as name) tag`);
}

/** Adds two items at different positions of the list. */
export async function addTwo({ node }: List): Promise<void> {
  added += 2;
  const [from, to] = [added - 1, added] as const;
  if (node === 'Article') await addArticles('ann', from, to);
  if (node === 'User') await addFans(from, to);
  if (node === 'Comment') await addComments(from, to);
  if (node === 'Tag') await addTags(from, to);
}

/** Numbers from here on are used only once. */
let added = 1000;

export async function remove({ node }: List, globalIds: readonly (string | undefined)[]): Promise<void> {
  const ids = globalIds.map((id) => localId(node, id ?? '') ?? 0).join();
  const where = node === 'User' ? `follows where follower_id in (${ids}) or followed_id in (${ids})` : null;
  await execute(`delete from ${where ?? `${node.toLowerCase()}s where id in (${ids})`}`);
}

/** Removes every item of the list, but not the object it belongs to. */
export async function empty(list: List): Promise<void> {
  await remove(list, await idsOf(list));
}
