import type { GraphQLField } from 'graphql';
import { globalId } from '../../src/graphql/node.ts';
import { articleSortValue, type World } from './reference.ts';
import type { Rolls } from './rolls.ts';

type Args = Record<string, unknown>;
type OrderBy = { field: string; direction?: string };

/** Random arguments for the fields of the schema: existing values, unknown ones, and invalid ones. */
export class RandomArguments {
  /** Whether some lists get invalid arguments. Most documents have none. */
  private readonly spoils: boolean;
  spoilt = false;

  constructor(
    private readonly rolls: Rolls,
    private readonly world: World,
  ) {
    this.spoils = rolls.once(4);
  }

  /** Of a field, as `Query.articles`. */
  of(coordinate: string, field: GraphQLField<unknown, unknown>): Args {
    const { rolls } = this;
    switch (coordinate) {
      case 'Query.node':
        return { id: this.anyId() };
      case 'Query.nodes':
        return { ids: Array.from({ length: this.isSpoilt(20) ? 101 : rolls.upTo(5) }, () => this.anyId()) };
      case 'Query.user':
        return { by: rolls.one([{ username: this.username() }, { id: this.anyId() }]) };
      case 'Query.article':
        return { by: rolls.one([{ slug: this.slug() }, { id: this.anyId() }]) };
      case 'Query.tag':
        return { name: this.tagName() };
    }
    const has = (name: string) => field.args.some((argument) => argument.name === name);
    if (!has('first')) return {};
    const orderBy = has('orderBy') && rolls.upTo(1) === 1 ? this.order(coordinate) : undefined;
    return {
      ...(orderBy !== undefined && { orderBy }),
      ...(has('filter') && rolls.upTo(1) === 1 && { filter: rolls.once(10) ? null : this.filter() }),
      ...(has('prefix') && rolls.upTo(1) === 1 && { prefix: this.prefix() }),
      ...this.paging(coordinate, orderBy ?? undefined),
    };
  }

  private isSpoilt(inHowMany: number): boolean {
    const isSpoilt = this.spoils && this.rolls.once(inHowMany);
    this.spoilt ||= isSpoilt;
    return isSpoilt;
  }

  private username(): string {
    const { username } = this.rolls.one(this.world.users);
    const spelt = [username, username.toUpperCase(), wide(username), username.replace('ß', 'SS'), this.oddText()];
    return this.rolls.one(spelt);
  }

  private slug = (): string => this.rolls.one([this.rolls.one(this.world.articles).slug, this.oddText()]);

  private tagName(): string {
    const { name } = this.rolls.one(this.world.tags);
    return this.rolls.one([name, name, name, name.toUpperCase(), this.oddText()]);
  }

  private prefix(): string | null {
    const { name } = this.rolls.one(this.world.tags);
    const size = this.rolls.upTo(3);
    return this.rolls.one([name.slice(0, size), name.slice(0, size).toUpperCase(), `${name}s`, null, this.oddText()]);
  }

  private oddText = (): string => this.rolls.one(ODD_TEXTS);

  private order(coordinate: string): OrderBy | null {
    if (this.rolls.once(10)) return null;
    const direction = this.rolls.one([{ direction: 'ASC' }, { direction: 'DESC' }, {}]);
    return { field: this.rolls.one(ORDERS[coordinate] ?? ARTICLE_ORDERS), ...direction };
  }

  private filter(): Args {
    const several = () =>
      Array.from({ length: this.isSpoilt(4) ? 21 : this.rolls.one([0, 1, 2, 3, 5]) }, () => this.tagName());
    const all: Record<string, () => unknown> = {
      tag: () => this.tagName(),
      author: () => this.username(),
      favoritedBy: () => this.username(),
      tagsAny: several,
      tagsAll: several,
      publishedAfter: () => this.instant(),
      publishedBefore: () => this.instant(),
    };
    const some = Object.entries(all);
    const chosen = this.rolls.upTo(2) === 0 ? some.filter(() => this.rolls.once(4)) : [this.rolls.one(some)];
    return Object.fromEntries(chosen.map(([name, value]) => [name, this.rolls.once(8) ? null : value()]));
  }

  private instant(): string {
    const { publishedAt } = this.rolls.one(this.world.articles);
    const inBerlin = new Date(publishedAt.getTime() + 3_600_000).toISOString().replace('Z', '+01:00');
    return this.rolls.one([publishedAt.toISOString(), inBerlin, ...ODD_INSTANTS]);
  }

  private paging(coordinate: string, orderBy?: OrderBy): Args {
    const { rolls } = this;
    if (this.isSpoilt(4)) return this.refusedPaging(coordinate, orderBy);
    // Below another list, longer pages would exceed the complexity limit.
    const isBelow = !coordinate.startsWith('Query.');
    const size = isBelow ? rolls.upTo(2) + 1 : rolls.one([rolls.upTo(3) + 1, rolls.upTo(3) + 1, 5, 25]);
    const end = rolls.one<Args>([
      { first: size },
      { last: size },
      { first: size, offset: rolls.upTo(4) },
      { first: size, offset: rolls.one([0, 10, 10_000]) },
      isBelow && rolls.upTo(3) > 0 ? { last: size } : {},
      isBelow && rolls.upTo(3) > 0 ? { first: size } : { offset: rolls.upTo(2) },
      { first: null, last: size, offset: null },
      { first: size, last: null, after: null, before: null },
    ]);
    if (typeof end.offset === 'number') return end;
    const cursor = () => this.cursor(coordinate, orderBy);
    return {
      ...end,
      ...(rolls.once(4) && { after: cursor() }),
      ...(rolls.once(4) && { before: cursor() }),
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
    const name = this.rolls.one(['after', 'before']);
    return this.rolls.one<Args>([
      { [name]: encoded(this.rolls.one(refused)) },
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
    const id = this.rolls.one([this.rolls.upTo(12), this.rolls.upTo(12), 2 ** 31 - 1, -1]);
    const order = this.orderName(coordinate, orderBy);
    const named = cursors.get(order) ?? [];
    if (named.length > 0 && this.rolls.upTo(1) === 0) return this.rolls.one(named);
    const at = (value: unknown) => encoded([order, value, id]);
    switch (order.split(' ')[0]) {
      case 'FAVORITED_AT':
        return at(this.rolls.one(favorites).createdAt);
      case 'FOLLOWER_SINCE':
      case 'FOLLOWED_AT':
        return at(this.rolls.one(follows).createdAt);
      case 'CREATED_AT':
        return at(this.rolls.one(comments).createdAt);
      case 'NAME':
        return at(this.rolls.one([this.rolls.one(tags).name, '', 'zz']));
      case 'ARTICLES_COUNT':
        return at(this.rolls.one([this.rolls.one(tags).articlesCount, 2 ** 31 - 1, -1]));
      default:
        return at(articleSortValue(this.rolls.one(articles), order.split(' ')[0] ?? ''));
    }
  }

  private orderName(coordinate: string, orderBy?: OrderBy): string {
    if (orderBy) return `${orderBy.field} ${orderBy.direction ?? PRESET_DIRECTIONS[coordinate] ?? 'DESC'}`;
    return PRESETS[coordinate] ?? 'PUBLISHED_AT DESC';
  }

  private anyId(): unknown {
    const type = this.rolls.one(['Article', 'User', 'Comment', 'Tag', 'Viewer', 'Session']);
    const id = globalId(type, this.rolls.upTo(12) + 1);
    return this.rolls.one([id, id, id, `${id}=`, globalId(type, 2 ** 31), 7, this.oddText()]);
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
  'Query.tags': 'ARTICLES_COUNT DESC',
  'Article.comments': 'CREATED_AT ASC',
  'User.favorites': 'FAVORITED_AT DESC',
  'User.followers': 'FOLLOWER_SINCE DESC',
  'User.following': 'FOLLOWED_AT DESC',
};

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
