/** SQL text with the values that go beside it: `sql\`${column} = ${value}\``. A piece may stand in others, any number of times. */
export class Sql {
  constructor(
    readonly texts: readonly string[],
    readonly parts: readonly unknown[],
  ) {}
}

/** Another piece becomes part of the text; anything else is a value, and never stands in it. */
export const sql = (texts: TemplateStringsArray, ...parts: readonly unknown[]): Sql => new Sql(texts, parts);

/** Text as it is; nothing that anybody typed. */
export const raw = (text: string): Sql => new Sql([text], []);

/** The name of a table, a column or an alias: `identifier('t1', 'id')` is `"t1"."id"`. */
export const identifier = (...names: readonly string[]): Sql =>
  raw(names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.'));

/** A value that stands in the text, so that PostgreSQL knows it when it plans the statement. */
export const literal = (value: string | number | boolean): Sql =>
  raw(typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value));

export const join = (pieces: readonly Sql[], separator: string): Sql =>
  pieces.length === 0 ? raw('') : new Sql(['', ...Array<string>(pieces.length - 1).fill(separator), ''], pieces);

/** All of them. */
export const conjunction = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? sql`true` : sql`(${join(conditions, ' and ')})`;

/** As PostgreSQL takes it: a text with $1, $2 and so on in it, and their values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export function statementOf(piece: Sql): Statement {
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
  return { text: textOf(piece), values };
}
