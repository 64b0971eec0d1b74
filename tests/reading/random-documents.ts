import {
  astFromValue,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  print,
} from 'graphql';
import { globalId } from '../../src/server/node.ts';
import { schema } from './lists.ts';
import { articleSortValue, type World } from './reference.ts';

export interface RandomDocument {
  document: string;
  variables: Record<string, unknown>;
}

/**
 * A query over the whole schema: aliases, arguments, variables, fragments and directives as the dice fall. When the rolls
 * run out they are zeros, which choose what is smallest; fewer and lower rolls make a simpler document.
 */
export const randomDocument = (rolls: readonly number[], world: World, depth: number): RandomDocument =>
  new Writer(rolls, world).write(depth);

class Writer {
  private readonly variables: Record<string, unknown> = { yes: true, no: false };
  private readonly declarations = ['$yes: Boolean!', '$no: Boolean!'];
  private readonly fragments: string[] = [];
  private names = 0;
  private rolled = 0;

  constructor(
    private readonly rolls: readonly number[],
    private readonly world: World,
  ) {}

  write(depth: number): RandomDocument {
    const query = schema.getQueryType() as GraphQLNamedType;
    const selection = this.selection(query, depth);
    const unused = '_: __typename @include(if: $yes) @skip(if: $no)';
    const document = `query(${this.declarations.join(', ')}) { ${unused} ${selection} }\n${this.fragments.join('\n')}`;
    return { document, variables: this.variables };
  }

  private selection(type: GraphQLNamedType, depth: number): string {
    const parts = Array.from({ length: this.upTo(depth > 3 ? 3 : 4) + 1 }, () => this.part(type, depth));
    return ['__typename', ...parts].slice(this.upTo(1)).join(' ');
  }

  /** A field, or some in a fragment. */
  private part(type: GraphQLNamedType, depth: number): string {
    const concrete = isInterfaceType(type) ? this.one([...schema.getPossibleTypes(type)]) : type;
    const wrapping = isInterfaceType(type) ? 'inline' : this.one(['none', 'none', 'none', 'inline', 'named'] as const);
    if (wrapping === 'none') return this.field(type, depth);
    const inside = `{ ${this.field(concrete, depth)} ${this.field(concrete, depth)} }`;
    if (wrapping === 'inline')
      return `... ${this.one(['', `on ${concrete.name} `])}${this.directive()}`.startsWith('... on')
        ? `... on ${concrete.name} ${inside}`
        : isInterfaceType(type)
          ? `... on ${concrete.name} ${this.directive()} ${inside}`
          : `... ${this.directive()} ${inside}`;
    const name = this.name('F');
    this.fragments.push(`fragment ${name} on ${concrete.name} ${inside}`);
    return `...${name} ${this.directive()}`;
  }

  private field(type: GraphQLNamedType, depth: number): string {
    if (!isObjectType(type)) return 'id';
    const fields = Object.values(type.getFields());
    const leaves = fields.filter((field) => isLeafType(getNamedType(field.type)));
    const inner = fields.filter((field) => !leaves.includes(field));
    // Pages, edges and page infos are on the way to an entity, and cost no depth.
    const isStep = /Connection$|Edge$|PageInfo$/.test(type.name);
    const deeper = isStep || depth > 0;
    const field = this.one(
      deeper && inner.length > 0 && (isStep || leaves.length === 0 || this.upTo(2) > 0) ? inner : leaves,
    );
    if (!field) return '__typename';
    const written = this.argumentsOf(type, field);
    const named = getNamedType(field.type);
    const alias = field.args.length > 0 || this.upTo(9) === 0 ? `${this.name('a')}: ` : '';
    const below = isLeafType(named) ? '' : ` { ${this.selection(named, isStep ? depth : depth - 1)} }`;
    return `${alias}${field.name}${written} ${this.directive()}${below}`;
  }

  private argumentsOf(type: GraphQLNamedType, field: GraphQLField<unknown, unknown>): string {
    const values = this.valuesFor(`${type.name}.${field.name}`, field);
    const written = Object.entries(values).map(([name, value]) => {
      const argument = field.args.find((some) => some.name === name) as GraphQLArgument;
      if (this.upTo(2) === 0) {
        const variable = this.name('v');
        this.declarations.push(`$${variable}: ${argument.type}`);
        this.variables[variable] = value;
        return `${name}: $${variable}`;
      }
      const literal = astFromValue(value, argument.type);
      if (!literal) throw new Error(`${field.name}(${name}:) can not be ${JSON.stringify(value)}.`);
      return `${name}: ${print(literal)}`;
    });
    return written.length > 0 ? `(${written.join(', ')})` : '';
  }

  private valuesFor(coordinate: string, field: GraphQLField<unknown, unknown>): Record<string, unknown> {
    const { users, articles, tags } = this.world;
    const user = this.one(users);
    const article = this.one(articles);
    const tag = this.one([...tags.map(({ name }) => name), 'no such tag']);
    switch (coordinate) {
      case 'Query.node':
        return { id: this.anyId() };
      case 'Query.nodes':
        return { ids: Array.from({ length: this.upTo(4) }, () => this.anyId()) };
      case 'Query.user':
        return {
          by: this.one([{ username: user?.username.toUpperCase() }, { id: this.anyId() }, { username: 'nobody' }]),
        };
      case 'Query.article':
        return { by: this.one([{ slug: article?.slug }, { id: this.anyId() }, { slug: 'nothing' }]) };
      case 'Query.tag':
        return { name: tag };
    }
    const has = (name: string) => field.args.some((argument) => argument.name === name);
    if (!has('first')) return {};
    const orderBy = has('orderBy') && this.upTo(1) === 1 ? this.order(coordinate) : undefined;
    return {
      ...(orderBy && { orderBy }),
      ...(has('filter') && this.upTo(1) === 1 && { filter: this.filter() }),
      ...(has('prefix') && this.upTo(1) === 1 && { prefix: this.one(['', 'T', 'r', 'zz']) }),
      ...this.paging(coordinate, orderBy),
    };
  }

  private order(coordinate: string) {
    const direction = this.one(['ASC', 'DESC'] as const);
    if (coordinate === 'Query.tags') return { field: this.one(['NAME', 'ARTICLES_COUNT']), direction };
    if (coordinate === 'Article.comments') return { field: 'CREATED_AT', direction };
    const names = ['PUBLISHED_AT', 'UPDATED_AT', 'FAVORITES_COUNT', 'COMMENTS_COUNT', 'TITLE'];
    return { field: this.one(names), direction };
  }

  private filter() {
    const { users, articles, tags } = this.world;
    const tag = () => this.one([...tags.map(({ name }) => name), 'no such tag']);
    const all = {
      tag: tag(),
      author: this.one(users).username,
      favoritedBy: this.one(users).username.toUpperCase(),
      tagsAny: [tag(), tag()].slice(this.upTo(2)),
      tagsAll: [tag(), tag()].slice(this.upTo(2)),
      publishedAfter: this.one(articles).publishedAt.toISOString(),
      publishedBefore: this.one(articles).publishedAt.toISOString(),
    };
    const chosen = Object.entries(all).filter(() => this.upTo(3) === 0);
    return Object.fromEntries([...chosen, ...(this.upTo(5) === 0 ? [['tag', null]] : [])]);
  }

  private paging(coordinate: string, orderBy?: { field: string; direction: string }): Record<string, unknown> {
    const size = this.upTo(3) + 1;
    const end = this.one([
      { first: size },
      { last: size },
      { first: size, offset: this.upTo(4) },
      { offset: this.upTo(2) },
      {},
    ]);
    if ('offset' in end) return end;
    const cursor = () => this.cursor(coordinate, orderBy);
    return {
      ...end,
      ...(this.upTo(3) === 0 && { after: cursor() }),
      ...(this.upTo(3) === 0 && { before: cursor() }),
    };
  }

  /** A place in the order, whether or not the list has something there. */
  private cursor(coordinate: string, orderBy?: { field: string; direction: string }): string {
    const { articles, comments, tags, favorites, follows } = this.world;
    const id = this.upTo(12);
    const encoded = (order: string, value: unknown, row: number) =>
      Buffer.from(JSON.stringify([order, value, row])).toString('base64url');
    switch (coordinate) {
      case 'User.favorites':
        return encoded('FAVORITED_AT DESC', this.one(favorites).createdAt, id);
      case 'User.followers':
        return encoded('FOLLOWER_SINCE DESC', this.one(follows).createdAt, id);
      case 'User.following':
        return encoded('FOLLOWED_AT DESC', this.one(follows).createdAt, id);
      case 'Article.comments':
        return encoded(`CREATED_AT ${orderBy?.direction ?? 'ASC'}`, this.one(comments).createdAt, id);
      case 'Query.tags': {
        const { field, direction } = orderBy ?? { field: 'ARTICLES_COUNT', direction: 'DESC' };
        const tag = this.one(tags);
        return encoded(`${field} ${direction}`, field === 'NAME' ? tag.name : tag.articlesCount, tag.id);
      }
      default: {
        const { field, direction } = orderBy ?? { field: 'PUBLISHED_AT', direction: 'DESC' };
        const article = this.one(articles);
        return encoded(`${field} ${direction}`, articleSortValue(article, field), article.id);
      }
    }
  }

  private anyId(): string {
    const type = this.one(['Article', 'User', 'Comment', 'Tag', 'Viewer', 'Session']);
    return this.one([
      globalId(type, this.upTo(12) + 1),
      globalId(type, this.upTo(12) + 1),
      'nonsense',
      globalId(type, 2 ** 31),
    ]);
  }

  private directive = () =>
    this.one(['', '', '', '', '@include(if: $yes)', '@skip(if: $no)', '@include(if: $no)', '@skip(if: true)']);

  private name(letter: string): string {
    this.names += 1;
    return `${letter}${this.names}`;
  }

  private upTo(most: number): number {
    this.rolled += 1;
    return (this.rolls[this.rolled - 1] ?? 0) % (most + 1);
  }

  private one<T>(items: readonly T[]): T {
    return items[this.upTo(items.length - 1)] as T;
  }
}
