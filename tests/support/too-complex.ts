import { expect } from 'vitest';
import { OPERATION_LIMITS } from '../../src/server/operations/operation-limits.ts';
import { statementsDuring } from './statements.ts';
import { type GraphQLResponse, post } from './test-server.ts';

/** Operations that are too complex, and the errors they get. */

export const times = (count: number, write: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => write(index)).join(' ');

/** `{ articles { nodes { author { articles { nodes { … } } } } } }` */
export function nested(depth: number): string {
  const around = Array.from({ length: depth - 1 }, (_, index) => ['articles(first: 1)', 'nodes', 'author'][index % 3]);
  return `${around.map((field) => `{ ${field} `).join('')}{ __typename }${' }'.repeat(depth - 1)}`;
}

/** Fragments that each spread the next one twice; the last selects the item. */
export const doubling = (count: number, item: string): string =>
  `${times(count, (index) => `fragment F${index} on Article { ...F${index + 1} ...F${index + 1} }`)}
  fragment F${count} on Article { ${item} }`;

/** The extensions of the only error of an operation that is refused before it sends a statement to the database. */
export async function refusal(query: string, more: object = {}): Promise<unknown> {
  const responses: GraphQLResponse<unknown>[] = [];
  const statements = await statementsDuring(async () => responses.push((await post({ query, ...more })).body));
  const [{ data, errors } = {} as GraphQLResponse<unknown>] = responses;
  expect({ statements, data, errors: errors?.length }, query.slice(0, 500)).toEqual({ statements: [], errors: 1 });
  return errors?.[0]?.extensions;
}

export const tooMany = (limit: keyof typeof OPERATION_LIMITS, requested: unknown = expect.any(Number)) => ({
  code: 'QUERY_TOO_COMPLEX',
  limit,
  requested,
  maximum: OPERATION_LIMITS[limit],
});
