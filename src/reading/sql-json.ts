import { join, literal, type Sql, sql } from './sql.ts';

/** A JSON object. PostgreSQL's functions take at most 100 arguments, so larger objects are joined from the text of parts. */
export function jsonObject(pairs: readonly (readonly [string, Sql])[]): Sql {
  const build = (some: typeof pairs) =>
    sql`json_build_object(${join(
      some.map(([name, value]) => sql`${literal(name)}, ${value}`),
      ', ',
    )})`;
  if (pairs.length <= 50) return build(pairs);
  const parts = Array.from({ length: Math.ceil(pairs.length / 50) }, (_, part) =>
    build(pairs.slice(part * 50, part * 50 + 50)),
  );
  const inside = parts.map((part) => sql`left(substr(${part}::text, 2), -1)`);
  return sql`('{' || ${join(inside, " || ', ' || ")} || '}')::json`;
}

/** The text in base64url, without padding and without the line breaks that PostgreSQL puts into base64. */
export const base64url = (text: Sql): Sql =>
  sql`translate(encode(convert_to(${text}, 'UTF8'), 'base64'), E'+/=\n', '-_')`;
