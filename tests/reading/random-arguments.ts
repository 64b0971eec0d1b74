import type { GraphQLField } from 'graphql';
import { globalId } from '../../src/graphql/node.ts';
import type { RandomChoices } from './random-choices.ts';
import { articleSortValue, type World } from './reference.ts';
import { isQuery, QUERIES, SEARCHES_OF_NAMES } from './searches.ts';

type Args = Record<string, unknown>;
type OrderBy = { field: string; direction?: string };

/** Random arguments for the fields of the schema: existing values, unknown ones, and invalid ones. */
export class RandomArguments {
  /** Whether some lists get invalid arguments. Most documents have none. */
  private readonly insertsInvalid: boolean;
  hasInvalid = false;

  constructor(
    private readonly choices: RandomChoices,
    private readonly world: World,
  ) {
    this.insertsInvalid = choices.once(4);
  }

  /** Of a field, as `Query.articles`. */
  of(coordinate: string, field: GraphQLField<unknown, unknown>): Args {
    const { choices } = this;
    switch (coordinate) {
      case 'Query.node':
        return { id: this.anyId() };
      case 'Query.nodes':
        return { ids: Array.from({ length: this.choosesInvalid(20) ? 101 : choices.upTo(5) }, () => this.anyId()) };
      case 'Query.user':
        return { by: choices.one([{ username: this.username() }, { id: this.anyId() }]) };
      case 'Query.article':
        return { by: choices.one([{ slug: this.slug() }, { id: this.anyId() }]) };
      case 'Query.tag':
        return { name: this.tagName() };
      case 'Article.excerpt':
        return { length: this.choosesInvalid(20) ? choices.one([0, -1, 501]) : choices.one([1, 2, 5, 160, 500, null]) };
    }
    const has = (name: string) => field.args.some((argument) => argument.name === name);
    if (!has('first')) return {};
    const orderBy = has('orderBy') && choices.upTo(1) === 1 ? this.order(coordinate, has('filter')) : undefined;
    const filter = has('filter') && choices.upTo(1) === 1 ? this.filter() : undefined;
    const isSearch = isQuery(filter?.query);
    // Only a search has this order, which is the default of one.
    if (orderBy?.field === 'RELEVANCE' && !isSearch) this.hasInvalid = true;
    return {
      ...(has('query') && { query: this.choices.one([...QUERIES, ...SEARCHES_OF_NAMES]) }),
      ...(has('kinds') && { kinds: this.choices.one(KINDS) }),
      ...(orderBy !== undefined && { orderBy }),
      ...(filter && { filter: choices.once(10) && !isSearch ? null : filter }),
      ...(has('prefix') && choices.upTo(1) === 1 && { prefix: this.prefix() }),
      ...this.paging(coordinate, orderBy ?? (isSearch ? { field: 'RELEVANCE' } : undefined)),
    };
  }

  private choosesInvalid(period: number): boolean {
    const isInvalid = this.insertsInvalid && this.choices.once(period);
    this.hasInvalid ||= isInvalid;
    return isInvalid;
  }

  private username(): string {
    const { username } = this.choices.one(this.world.users);
    const spelt = [username, username.toUpperCase(), wide(username), username.replace('ß', 'SS'), this.oddText()];
    return this.choices.one(spelt);
  }

  private slug = (): string => this.choices.one([this.choices.one(this.world.articles).slug, this.oddText()]);

  private tagName(): string {
    const { name } = this.choices.one(this.world.tags);
    return this.choices.one([name, name, name, name.toUpperCase(), this.oddText()]);
  }

  private prefix(): string | null {
    const { name } = this.choices.one(this.world.tags);
    const size = this.choices.upTo(3);
    return this.choices.one([name.slice(0, size), name.slice(0, size).toUpperCase(), `${name}s`, null, this.oddText()]);
  }

  private oddText = (): string => this.choices.one(ODD_TEXTS);

  private order(coordinate: string, isFiltered: boolean): OrderBy | null {
    if (this.choices.once(10)) return null;
    const direction = this.choices.one([{ direction: 'ASC' }, { direction: 'DESC' }, {}]);
    const isRanked = isFiltered && this.choices.once(6);
    return { field: isRanked ? 'RELEVANCE' : this.choices.one(ORDERS[coordinate] ?? ARTICLE_ORDERS), ...direction };
  }

  private filter(): Args {
    const several = () =>
      Array.from({ length: this.choosesInvalid(4) ? 21 : this.choices.one([0, 1, 2, 3, 5]) }, () => this.tagName());
    const all: Record<string, () => unknown> = {
      query: () => this.choices.one(QUERIES),
      tag: () => this.tagName(),
      author: () => this.username(),
      favoritedBy: () => this.username(),
      tagsAny: several,
      tagsAll: several,
      publishedAfter: () => this.instant(),
      publishedBefore: () => this.instant(),
      updatedAfter: () => this.instant(),
      updatedBefore: () => this.instant(),
    };
    const some = Object.entries(all);
    const chosen = this.choices.upTo(2) === 0 ? some.filter(() => this.choices.once(4)) : [this.choices.one(some)];
    return Object.fromEntries(chosen.map(([name, value]) => [name, this.choices.once(8) ? null : value()]));
  }

  private instant(): string {
    const { publishedAt, updatedAt } = this.choices.one(this.world.articles);
    const instant = this.choices.one([publishedAt ?? updatedAt, updatedAt]);
    const inBerlin = new Date(instant.getTime() + 3_600_000).toISOString().replace('Z', '+01:00');
    return this.choices.one([instant.toISOString(), inBerlin, ...ODD_INSTANTS]);
  }

  private paging(coordinate: string, orderBy?: OrderBy): Args {
    const { choices } = this;
    if (this.choosesInvalid(4)) return this.refusedPaging(coordinate, orderBy);
    // Below another list, longer pages would exceed the complexity limit.
    const isBelow = !coordinate.startsWith('Query.');
    const size = isBelow ? choices.upTo(2) + 1 : choices.one([choices.upTo(3) + 1, choices.upTo(3) + 1, 5, 25]);
    const end = choices.one<Args>([
      { first: size },
      { last: size },
      { first: size, offset: choices.upTo(4) },
      { first: size, offset: choices.one([0, 10, 10_000]) },
      isBelow && choices.upTo(3) > 0 ? { last: size } : {},
      isBelow && choices.upTo(3) > 0 ? { first: size } : { offset: choices.upTo(2) },
      { first: null, last: size, offset: null },
      { first: size, last: null, after: null, before: null },
    ]);
    if (typeof end.offset === 'number') return end;
    const cursor = () => this.cursor(coordinate, orderBy);
    return {
      ...end,
      ...(choices.once(4) && { after: cursor() }),
      ...(choices.once(4) && { before: cursor() }),
    };
  }

  private refusedPaging(coordinate: string, orderBy?: OrderBy): Args {
    const cursor = this.cursor(coordinate, orderBy);
    const [order, value, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string, unknown, number];
    const refused: unknown[] = [
      ['CREATED_AT DESC', value, id],
      ['TITLE ASC', value, id],
      [order.replace(/ASC|DESC/, (one) => (one === 'ASC' ? 'DESC' : 'ASC')), value, id],
      [order, typeof value === 'number' ? '7' : 7, id],
      [order, `${value}\0`, id],
      [order, '2026-13-01T00:00:00.000Z', id],
      [order, '+012026-01-01T00:00:00.000Z', id],
      [order, value, 2 ** 31],
      [order, value, 1.5],
      [order, value, String(id)],
      [order, value, id, id],
      [order, null, id],
      { order },
      null,
    ];
    const name = this.choices.one(['after', 'before']);
    return this.choices.one<Args>([
      { [name]: encoded(this.choices.one(refused)) },
      { [name]: this.oddText() },
      { first: 0 },
      { first: -1 },
      { first: 101 },
      { last: 0 },
      { last: 2 ** 31 - 1 },
      { first: 1, last: 1 },
      { offset: -1 },
      { offset: 10_001 },
      { first: 2, offset: 0, [name]: cursor },
      { last: 1, offset: 0 },
    ]);
  }

  /** A position in the order, with or without an item there, or a cursor that the server has returned. */
  private cursor(coordinate: string, orderBy?: OrderBy): string {
    const { articles, comments, tags, favorites, follows, cursors } = this.world;
    const id = this.choices.one([this.choices.upTo(12), this.choices.upTo(12), 2 ** 31 - 1, -1]);
    const order = this.orderName(coordinate, orderBy);
    const named = cursors.get(order) ?? [];
    if (named.length > 0 && this.choices.upTo(1) === 0) return this.choices.one(named);
    const at = (value: unknown) => encoded([order, value, id]);
    switch (order.split(' ')[0]) {
      case 'FAVORITED_AT':
        return at(this.choices.one(favorites).createdAt);
      case 'FOLLOWER_SINCE':
      case 'FOLLOWED_AT':
        return at(this.choices.one(follows).createdAt);
      case 'CREATED_AT':
        return at(this.choices.one(comments).createdAt);
      case 'NAME':
        return at(this.choices.one([this.choices.one(tags).name, '', 'zz']));
      case 'ARTICLES_COUNT':
        return at(this.choices.one([this.choices.one(tags).articlesCount, 2 ** 31 - 1, -1]));
      case 'SCORE':
        return at(this.choices.one([0, 5_001_000 * 8, 4_000_000 * 8 - 30, 2_000_000 * 8, 2 ** 31 - 1, -1]));
      case 'RELEVANCE':
        return at(this.choices.one([...(this.world.scores.get('title')?.values() ?? []), 2 ** 31 - 1, -1]));
      default:
        return at(articleSortValue(this.choices.one(articles), order.split(' ')[0] ?? ''));
    }
  }

  private orderName(coordinate: string, orderBy?: OrderBy): string {
    if (orderBy) return `${orderBy.field} ${orderBy.direction ?? PRESET_DIRECTIONS[coordinate] ?? 'DESC'}`;
    return PRESETS[coordinate] ?? 'PUBLISHED_AT DESC';
  }

  private anyId(): unknown {
    const type = this.choices.one(['Article', 'User', 'Comment', 'Tag', 'Viewer', 'Session']);
    const id = globalId(type, this.choices.upTo(15) + 1);
    return this.choices.one([id, id, id, `${id}=`, globalId(type, 2 ** 31), 7, this.oddText()]);
  }
}

const encoded = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString('base64url');

const wide = (text: string) =>
  text.replaceAll(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0));

const ARTICLE_ORDERS = ['PUBLISHED_AT', 'UPDATED_AT', 'FAVORITES_COUNT', 'COMMENTS_COUNT', 'TITLE'];
const ORDERS: Record<string, readonly string[]> = {
  'Query.tags': ['NAME', 'ARTICLES_COUNT'],
  'Article.comments': ['CREATED_AT'],
};
const PRESET_DIRECTIONS: Record<string, string> = { 'Article.comments': 'ASC' };
const PRESETS: Record<string, string> = {
  'Query.search': 'SCORE DESC',
  'Query.tags': 'ARTICLES_COUNT DESC',
  'Article.comments': 'CREATED_AT ASC',
  'Viewer.drafts': 'UPDATED_AT DESC',
  'User.favorites': 'FAVORITED_AT DESC',
  'User.followers': 'FOLLOWER_SINCE DESC',
  'User.following': 'FOLLOWED_AT DESC',
};

const KINDS = [null, null, [], ['ARTICLE'], ['USER', 'TAG'], ['TAG', 'ARTICLE', 'TAG'], ['USER']];

const ODD_TEXTS = [
  'nobody',
  '',
  ' ',
  "'; drop table users; --",
  '%',
  '_',
  '\\',
  '"',
  '$1',
  '__proto__',
  'red\0',
  '\0',
  '\ud800',
  '\udc00red',
  '😀',
  'e\u0301',
  '\u202ered',
  '\ufeff',
  'ſ',
  'İ',
  'r'.repeat(5_000),
  '\u0301'.repeat(999),
];

const ODD_INSTANTS = [
  '0001-01-01T00:00:00.000Z',
  '0099-12-31T23:59:59Z',
  '9999-12-31T23:59:59.999Z',
  '2026-01-02T00:00:00.0009Z',
];
