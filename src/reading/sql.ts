import type { Statement } from '../database/batch/statement-pipeline.ts';

/** A fragment of SQL with its parameters: `sql\`${column} = ${value}\``. Fragments nest, and may be used more than once. */
export class Sql {
  constructor(
    readonly texts: readonly string[],
    readonly parts: readonly unknown[],
  ) {}
}

/** A nested fragment becomes part of the text. Anything else becomes a parameter and never enters the text. */
export const sql = (texts: TemplateStringsArray, ...parts: readonly unknown[]): Sql => new Sql(texts, parts);

/** Text inserted as it is. Never use it with user input. */
export const raw = (text: string): Sql => new Sql([text], []);

/** The name of a table, a column or an alias: `identifier('t1', 'id')` is `"t1"."id"`. */
export const identifier = (...names: readonly string[]): Sql =>
  raw(names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.'));

/** A value quoted into the text, so that PostgreSQL sees it when it plans the statement. */
export const literal = (value: string | number | boolean): Sql =>
  raw(typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value));

export const join = (fragments: readonly Sql[], separator: string): Sql =>
  fragments.length === 0
    ? raw('')
    : new Sql(['', ...Array<string>(fragments.length - 1).fill(separator), ''], fragments);

export const conjunction = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? sql`true` : sql`(${join(conditions, ' and ')})`;

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

export function toStatement(fragment: Sql): Statement {
  const values: unknown[] = [];
  const textOf = ({ texts, parts }: Sql): string => {
    let text = texts[0] as string;
    for (let index = 0; index < parts.length; index += 1) {
      const part = parts[index];
      text += part instanceof Sql ? textOf(part) : `$${values.push(part)}`;
      text += texts[index + 1];
    }
    return text;
  };
  return { text: textOf(fragment), values };
}
