import type { Row } from '../sql/execute.ts';
import { literal, quote } from '../sql/quote.ts';
import type { Kind } from './queries.ts';
import { withoutOnlyTable } from './view-text.ts';

/** What an object is, in a form that is compared, and the statements that make and remove it. */
export interface Definition {
  definition: string;
  create: string[];
  drop: string[];
}

/** Makes the definition of a row of QUERIES, by its kind. A table's columns and constraints are objects of their own. */
export const DEFINITIONS: Record<Kind, (row: Row) => Definition> = {
  schema: ({ name }) =>
    define('exists', `create schema if not exists ${quote(String(name))}`, `drop schema ${quote(String(name))}`),
  extension: ({ name }) =>
    define(
      'installed',
      `create extension if not exists ${quote(String(name))}`,
      `drop extension ${quote(String(name))}`,
    ),
  type: (row) => {
    const create = {
      e: `enum (${(row.labels as string[]).map(literal).join(', ')})`,
      d: words(
        row.base,
        row.required && 'not null',
        row.default && `default ${row.default}`,
        ...(row.checks as string[]),
      ),
      c: `(${(row.attributes as string[]).join(', ')})`,
    }[String(row.type)];
    return row.type === 'd'
      ? define(`domain of ${create}`, `create domain ${row.sql} as ${create}`, `drop domain ${row.sql}`)
      : define(
          row.type === 'c' ? `composite ${create}` : String(create),
          `create type ${row.sql} as ${create}`,
          `drop type ${row.sql}`,
        );
  },
  sequence: (row) => {
    const options = words(
      `as ${row.type} increment ${row.increment} minvalue ${row.min} maxvalue ${row.max} start ${row.start} cache ${row.cache}`,
      row.cycle && 'cycle',
    );
    return define(options, `create sequence ${row.sql} ${options}`, `drop sequence ${row.sql}`);
  },
  function: ({ sql, text, type }) =>
    define(
      text ? unqualified(String(text)) : 'aggregate',
      text ? unqualified(String(text).trim()) : [],
      `drop ${type === 'p' ? 'procedure' : type === 'a' ? 'aggregate' : 'function'} ${sql}`,
    ),
  table: ({ sql, partitioned, unlogged, bound, inherits }) =>
    define(
      words(
        partitioned ? `partitioned by ${partitioned}` : 'table',
        unlogged && 'unlogged',
        inherits && `inherits ${inherits}`,
        bound,
      ),
      [],
      `drop table ${sql}`,
    ),
  column: (row) => {
    const text = words(
      row.type,
      row.collation && `collate ${row.collation}`,
      row.generated && `generated always as (${row.default}) ${row.generated === 'v' ? 'virtual' : 'stored'}`,
      row.required && 'not null',
      row.identity &&
        `generated ${row.identity === 'a' ? 'always' : 'by default'} as identity (${row.identity_options})`,
      !row.generated && row.default && `default ${row.default}`,
    );
    const name = quote(String(row.name));
    return define(
      text,
      `alter table ${row.sql} add column ${name} ${columnType(row)}`,
      `alter table ${row.sql} drop column ${name}`,
    );
  },
  constraint: ({ sql, name, text }) =>
    define(
      String(text),
      `alter table ${sql} add constraint ${quote(String(name))} ${lowerKeywords(String(text))}`,
      `alter table ${sql} drop constraint ${quote(String(name))}`,
    ),
  // PostgreSQL prints ONLY for the index of a partitioned table, which leaves its partitions without one.
  index: ({ index, text, valid }) => {
    const statement = unqualified(String(text)).replace(
      /^(CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+) ON )ONLY /,
      '$1',
    );
    return define(`${statement}${valid ? '' : ' INVALID'}`, lowerKeywords(statement), `drop index ${index}`);
  },
  trigger: ({ sql, name, text, enabled }) => {
    const state = { D: 'disable', R: 'enable replica', A: 'enable always' }[String(enabled)];
    return define(
      words(unqualified(String(text)), state),
      [
        lowerKeywords(unqualified(String(text))),
        ...(state ? [`alter table ${sql} ${state} trigger ${quote(String(name))}`] : []),
      ],
      `drop trigger ${quote(String(name))} on ${sql}`,
    );
  },
  'row security': ({ sql, forced }) =>
    define(
      forced ? 'forced' : 'enabled',
      [
        `alter table ${sql} enable row level security`,
        ...(forced ? [`alter table ${sql} force row level security`] : []),
      ],
      [
        ...(forced ? [`alter table ${sql} no force row level security`] : []),
        `alter table ${sql} disable row level security`,
      ],
    ),
  policy: (row) => {
    const text = words(
      !row.permissive && 'as restrictive',
      `for ${row.command} to ${row.roles}`,
      row.using && `using (${row.using})`,
      row.check && `with check (${row.check})`,
    );
    const name = quote(String(row.name));
    return define(text, `create policy ${name} on ${row.sql} ${text}`, `drop policy ${name} on ${row.sql}`);
  },
  view: ({ sql, materialized, text, options }) => {
    const kind = materialized ? 'materialized view' : 'view';
    const as = `${options ? `with (${options}) ` : ''}as ${withoutOnlyTable(String(text).trim().replace(/;$/, ''))}`;
    return define(as, `create ${kind} ${sql} ${as}`, `drop ${kind} ${sql}`);
  },
  comment: ({ target, text }) =>
    define(literal(String(text)), `comment on ${target} is ${literal(String(text))}`, `comment on ${target} is null`),
};

/** The index behind a unique constraint or primary key, as a statement. */
export const indexStatement = (text: unknown) => lowerKeywords(unqualified(String(text)));

/** The type of a column with all that follows it, as `create table` and `add column` take it. */
export function columnType(row: Row): string {
  const options = String(row.identity_options ?? '');
  const isPlain = /^start 1 increment 1 minvalue 1 maxvalue \d+ cache 1$/.test(options);
  return words(
    shortType(String(row.type)),
    row.collation && `collate ${row.collation}`,
    row.generated && `generated always as (${row.default}) ${row.generated === 'v' ? 'virtual' : 'stored'}`,
    row.identity &&
      `generated ${row.identity === 'a' ? 'always' : 'by default'} as identity${isPlain ? '' : ` (${options})`}`,
    row.required && !row.identity && 'not null',
    !row.generated && row.default && `default ${columnDefault(row)}`,
  );
}

/** A column's default without the cast to the column's own type: 'draft', not 'draft'::character varying. */
export function columnDefault({ default: text, base }: Row): string {
  const [, value, type] = /^('(?:[^']|'')*')::(.+)$/s.exec(String(text)) ?? [];
  return value && type === base ? value : String(text);
}

/** PostgreSQL's usual short name of a type: varchar(255), not character varying(255). */
export const shortType = (type: string) =>
  type
    .replace(/^character varying/, 'varchar')
    .replace(/^character\(/, 'char(')
    .replace(/^integer/, 'int')
    .replace(/^timestamp(\(\d\))? with time zone/, 'timestamptz$1')
    .replace(/^timestamp(\(\d\))? without time zone/, 'timestamp$1')
    .replace(/^time(\(\d\))? with time zone/, 'timetz$1')
    .replace(/^time(\(\d\))? without time zone/, 'time$1');

const define = (definition: string, create: string | string[], drop: string | string[]): Definition => ({
  definition: asReadAgain(definition),
  create: [create].flat(),
  drop: [drop].flat(),
});

/**
 * PostgreSQL prints `title in ('a', 'b')` of a varchar in one form, and in another once that form was run: with a cast of
 * each value in place of one of the array. Both are the same.
 */
export const asReadAgain = (text: string) =>
  text.replace(
    /\(ARRAY\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\]\)::text\[\]/g,
    (_, values: string) => `ARRAY[${values.replace(/'(?:[^']|'')*'::character varying/g, '($&)::text')}]`,
  );

/** Without the schema public, which PostgreSQL writes before a name even where the search path finds it. */
const unqualified = (text: string) =>
  text.replace(
    /^(CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) |CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+) ON (?:ONLY )?|CREATE (?:CONSTRAINT )?TRIGGER [\s\S]*? ON )public\./,
    '$1',
  );

/** Keywords in lower case, as the rest of a migration is written. What is quoted stays. */
export const lowerKeywords = (sql: string) =>
  sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\b[A-Z][A-Z_]*\b/g, (token) =>
    /^['"]/.test(token) ? token : token.toLowerCase(),
  );

const words = (...parts: unknown[]) => parts.filter(Boolean).join(' ');
