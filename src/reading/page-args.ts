import { ArgsType, Field, Int, registerEnumType } from 'type-graphql';
import { isStorable } from '../database/storable.ts';
import { BadUserInput } from '../graphql/errors.ts';

/** Paging as Relay specifies it, and `offset` for frontends that jump to page N. */
@ArgsType()
export class PageArgs {
  @Field(() => Int, {
    nullable: true,
    description: 'How many from the start, 1 to 100; 20 when neither first nor last is given.',
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes after this cursor of the same list and order.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: 'How many from the end, 1 to 100. Not together with first.' })
  last?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only what comes before this cursor of the same list and order.',
  })
  before?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many to leave out, 0 to 10,000; for page N. Not together with after, before or last.',
  })
  offset?: number | null;
}

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}

registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Which end of a list comes first.',
  valuesConfig: {
    ASC: { description: 'Smallest, earliest or alphabetically first.' },
    DESC: { description: 'Largest, latest or alphabetically last.' },
  },
});

/** How a list is sorted. The id breaks ties, in the same direction, so that no item is lost between two pages. */
export interface Order<E, L = never> {
  /** Part of the cursors, so that a cursor of another order is recognized. */
  readonly name: string;
  readonly direction: `${OrderDirection}`;
  /** The property to sort by, of the row itself or of the link that leads to it; or a `Ranking` of read-plan.ts. */
  readonly by: (keyof E & string) | { readonly link: keyof L & string } | { readonly ranking: object };
  /** The collation of a text that people sort by, which an index must have too. */
  readonly collation?: string;
}

/** The checked paging arguments. */
export interface PageWindow {
  readonly limit: number;
  readonly offset: number;
  /** `last`: the page is taken from the end of the list. */
  readonly backward: boolean;
  readonly after: Position | null;
  readonly before: Position | null;
}

/** The position of an item in a list. */
export type Position = readonly [sortValue: string | number, id: number];

/** Checks the paging arguments of a field. Throws BadUserInput with the field, the value and what is allowed. */
export function parsePageArgs(args: PageArgs, field: string, order: string, sortsBy: SortKind): PageWindow {
  const { first = null, after = null, last = null, before = null, offset = null } = args;
  const reject = (argument: string, problem: string): never => {
    throw new BadUserInput(`${field}(${argument}:) ${problem}`);
  };
  for (const [argument, size] of Object.entries({ first, last })) {
    if (size !== null && (size < 1 || size > MAX_PAGE_SIZE)) {
      reject(argument, `is ${size}; it must be from 1 to ${MAX_PAGE_SIZE}.`);
    }
  }
  if (first !== null && last !== null) reject('first', 'and last are both given; give one of them.');
  if (offset !== null) {
    if (offset < 0 || offset > MAX_OFFSET) {
      reject('offset', `is ${offset}; it must be from 0 to ${MAX_OFFSET}. Page with after to go further.`);
    }
    for (const [argument, value] of Object.entries({ after, before, last })) {
      if (value !== null) reject('offset', `and ${argument} are both given; give one of them.`);
    }
  }
  const position = (argument: string, cursor: string | null) => {
    if (cursor === null) return null;
    const read = readCursor(cursor, order, sortsBy);
    return typeof read === 'string' ? reject(argument, read) : read;
  };
  return {
    limit: first ?? last ?? DEFAULT_PAGE_SIZE,
    offset: offset ?? 0,
    backward: last !== null,
    after: position('after', after),
    before: position('before', before),
  };
}

export type SortKind = 'date' | 'number' | 'text';

/** The position in a cursor, which holds its order, a sort value and an id. Returns a message when the cursor is invalid. */
function readCursor(cursor: string, order: string, sortsBy: SortKind): Position | string {
  const [cursorOrder, sortValue, id, ...rest] = parsedList(cursor);
  if (typeof cursorOrder === 'string' && cursorOrder !== order && KNOWN_ORDER.test(cursorOrder)) {
    return `is a cursor of ${cursorOrder}; it must be one of ${order}.`;
  }
  const wellFormed = cursorOrder === order && isSortValue[sortsBy](sortValue) && isInteger(id) && rest.length === 0;
  if (!wellFormed) return `is "${shortened(cursor)}"; it must be a cursor from this list's pageInfo or edges.`;
  return [sortValue as string | number, id as number];
}

const KNOWN_ORDER = /^[A-Z_]+ (ASC|DESC)$/;

const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

function parsedList(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

const isInteger = (value: unknown) => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31;

const isSortValue: Record<SortKind, (value: unknown) => boolean> = {
  number: isInteger,
  text: (value) => typeof value === 'string' && isStorable(value),
  date: (value) => typeof value === 'string' && isInstant(value),
};

/** Only the form of dates in cursors: a year of four digits (PostgreSQL has no year 0000), milliseconds, UTC. */
const isInstant = (text: string) =>
  /^(?!0000)\d{4}-/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text;

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;
export const MAX_OFFSET = 10_000;
