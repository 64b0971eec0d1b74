/** An identifier, quoted: "articles". */
export const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** A string constant: 'articles'; null where there is no value. */
export const literal = (value: string | undefined) =>
  value === undefined ? 'null' : `'${value.replaceAll("'", "''")}'`;

/** A qualified name, quoted: "public"."articles". Parts that are missing are left out. */
export const qualifiedName = (...parts: (string | undefined)[]) =>
  parts
    .filter((part): part is string => Boolean(part))
    .map(quote)
    .join('.');

/** A name as the catalog has it: qualified outside of public. */
export const catalogName = (schema: string, name: string) =>
  qualifiedName(schema === 'public' ? undefined : schema, name);

/** The name of a table (a RangeVar of the parse tree) as SQL. */
export const quotedTable = (relation: { schemaname?: string; relname: string }) =>
  qualifiedName(relation.schemaname, relation.relname);
