import { literal, type Sql, sql } from '../database/sql.ts';
import { QueryTooComplex } from '../server/errors.ts';

/** Bytes of JSON, of all fields of an answer together. */
export const LARGEST_ANSWER = 5_000_000;

/** The text of an answer, and its size. What is too large the database keeps to itself: here, only its size arrives. */
export const boundedAnswer = (value: Sql): Sql =>
  // "offset 0", or PostgreSQL would work the answer out each time that it is named.
  sql`select case when octet_length(answer) <= ${literal(LARGEST_ANSWER)} then answer end as answer, octet_length(answer) as bytes
    from (select (${value})::text as answer offset 0) as whole`;

/** Throws once what was answered to a request is too large, with this part of it. */
export function countAnswer(request: object, bytes: number): void {
  const all = (answered.get(request) ?? 0) + bytes;
  answered.set(request, all);
  if (all > LARGEST_ANSWER) throw new QueryTooComplex('bytes', LARGEST_ANSWER, all);
}

const answered = new WeakMap<object, number>();
