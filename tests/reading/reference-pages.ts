import { GraphQLError } from 'graphql';

/** Reference implementation of paging: slices a complete list, and rejects invalid arguments. */

export type Args = Record<string, any>;
export type Value = string | number;
type Place = readonly [Value, number];

export function pageOf<T extends { id: number }>(
  items: T[],
  sortValueOf: (item: T) => Value,
  order: string,
  direction: string,
  args: Args,
) {
  const { first, after, last, before, offset } = args;
  refuseOddPages(args);
  const name = `${order} ${direction}`;
  const [behindOf, aheadOf] = [after, before].map((cursor) => (cursor == null ? null : placeIn(cursor, name)));
  const sign = direction === 'ASC' ? 1 : -1;
  const placeOf = (item: T): Place => [sortValueOf(item), item.id];
  const compareValues = /^(TITLE|NAME)$/.test(order) ? byLetters : inOrder;
  const compare = (left: Place, right: Place) => sign * (compareValues(left[0], right[0]) || left[1] - right[1]);

  const all = items.toSorted((left, right) => compare(placeOf(left), placeOf(right)));
  const behind = all.filter((item) => !behindOf || compare(placeOf(item), behindOf) > 0);
  const between = behind.filter((item) => !aheadOf || compare(placeOf(item), aheadOf) < 0);
  const limit = first ?? last ?? 20;
  const nodes = last == null ? between.slice(offset ?? 0, (offset ?? 0) + limit) : between.slice(-limit);
  const cursorOf = (item: T | undefined) =>
    item ? Buffer.from(JSON.stringify([name, ...placeOf(item)])).toString('base64url') : null;
  const more = between.length > (offset ?? 0) + limit;
  return {
    nodes,
    edges: nodes.map((node) => ({ node, cursor: cursorOf(node), textMatches: [] as object[] })),
    totalCount: all.length,
    pageInfo: {
      hasNextPage: (last == null && more) || (!!aheadOf && all.some((item) => compare(placeOf(item), aheadOf) >= 0)),
      hasPreviousPage: (last != null && more) || behind.length < all.length || ((offset ?? 0) > 0 && all.length > 0),
      startCursor: cursorOf(nodes[0]),
      endCursor: cursorOf(nodes.at(-1)),
    },
  };
}

const inOrder = (left: Value, right: Value) => (left < right ? -1 : left > right ? 1 : 0);
const collator = new Intl.Collator('en'); // that of the root, which PostgreSQL calls und
const byLetters = (left: Value, right: Value) => collator.compare(String(left), String(right)) || inOrder(left, right);

function refuseOddPages({ first, after, last, before, offset }: Args): void {
  for (const size of [first, last]) if (size != null && !(size >= 1 && size <= 100)) refuse(`a page of ${size}`);
  if (first != null && last != null) refuse('both ends');
  if (offset == null) return;
  if (offset < 0 || offset > 10_000) refuse(`offset ${offset}`);
  if (after != null || before != null || last != null) refuse('an offset from somewhere else than the start');
}

function placeIn(cursor: string, order: string): Place {
  const [cursorOrder, value, id, ...more] = listIn(cursor);
  const isRow = Number.isInteger(id) && Math.abs(id as number) < 2 ** 31;
  if (cursorOrder !== order || more.length > 0 || !isRow) refuse(cursor);
  const [field = ''] = order.split(' ');
  if (!(/COUNT$|RELEVANCE|SCORE/.test(field) ? isCount : /_AT$|SINCE$/.test(field) ? isInstant : isText)(value))
    refuse(cursor);
  return [value as Value, id as number];
}

function listIn(cursor: string): unknown[] {
  try {
    return [...JSON.parse(Buffer.from(cursor, 'base64url').toString())];
  } catch {
    return [];
  }
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31;
const isText = (value: unknown): boolean => typeof value === 'string' && value.isWellFormed() && !value.includes('\0');

function isInstant(value: unknown): boolean {
  const date = new Date(typeof value === 'string' ? value : Number.NaN);
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999 && date.toISOString() === value;
}

export function refuse(what: string): never {
  throw new GraphQLError(`Refused: ${what}`, { extensions: { code: 'BAD_USER_INPUT' } });
}
