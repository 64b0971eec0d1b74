import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { columnType } from '../catalog/definitions.ts';
import { literal, quote } from '../sql/quote.ts';
import { type Difference, hasExpression } from './difference.ts';
import { isSerial, typeOf } from './serial.ts';

/**
 * Adds a dropped column again. If it required a value, the existing rows get a neutral one: the old values are gone. A
 * reference may have none, as where the other table was dropped too; then it is required only if each row has one.
 */
export function restoreColumn(column: CatalogObject, catalog: Catalog): string[] {
  const { row, name } = column;
  const table = String(row.sql);
  const add = (type: string) => `alter table ${table} add column ${quote(name)} ${type}`;
  if (isSerial(column, catalog)) return [add(typeOf(column, catalog))];
  const hasValue = row.default && !hasUniqueValues(column, catalog);
  if (hasValue || row.identity || row.generated) return column.create;
  const fill = [
    // A second fill of a row fires its deferred triggers, and a table with pending ones cannot be altered.
    ...(hasDeferrable(column, catalog) ? ['set constraints all immediate'] : []),
    `update ${table} set ${quote(name)} = ${neutralValue(column, catalog)}`,
  ];
  // Rows with a default are the same to a unique index, and so are nulls to one on coalesce(…), or with nulls not distinct.
  if (!row.required) {
    const isFilled = row.default || hasUniqueExpression(column, catalog) || isComputedFrom(column, catalog);
    return isFilled ? [...column.create, ...fill] : column.create;
  }
  const require = `alter table ${table} alter column ${quote(name)} set not null`;
  return [
    add(columnType({ ...row, required: false })),
    ...fill,
    foreignKeyOf(column, catalog) ? requireIfFilled(table, quote(name), require) : require,
  ];
}

const requireIfFilled = (table: string, column: string, require: string) =>
  `do $$ begin /* Rows that find no row to refer to have no value: the column stays nullable for them. */ if not exists (select from ${table} where ${column} is null) then ${require}; end if; end $$`;

/**
 * Adds a dropped check again. If a column of it was dropped too, the rows may have values that it refuses: then it holds
 * for later writes only.
 */
export function restoreCheck({ create, needs }: CatalogObject, { before, dropped }: Difference): string[] {
  const add = String(create[0]);
  if (![...needs].some((id) => dropped.has(id) && before.get(id)?.kind === 'column')) return create;
  return [
    `do $$ begin ${add}; exception when check_violation then /* The values of a dropped column are gone: rows keep what the check refuses. */ ${add} not valid; end $$`,
    ...create.slice(1),
  ];
}

/** Whether the table of the column has a constraint that may be checked at the end of a transaction. */
const hasDeferrable = ({ parent }: CatalogObject, catalog: Catalog) =>
  [...catalog.values()].some((each) => each.kind === 'constraint' && each.parent === parent && each.row.deferrable);

/** The constraints and indexes of a column. */
const constraintsOf = (column: CatalogObject, catalog: Catalog) =>
  [...catalog.values()].filter((each) => each.parent === column.parent && each.needs.has(column.id));

const hasUniqueExpression = (column: CatalogObject, catalog: Catalog) =>
  constraintsOf(column, catalog).some(
    (each) =>
      (each.kind === 'index' && /^create unique/i.test(String(each.row.text)) && hasExpression(each)) ||
      /nulls not distinct/i.test(String(each.row.index ?? each.row.text)),
  );

/** Whether a required column is computed from the column, which therefore had a value in each row. */
const isComputedFrom = (column: CatalogObject, catalog: Catalog) =>
  [...catalog.values()].some(
    ({ kind, needs, row }) => kind === 'column' && row.generated && row.required && needs.has(column.id),
  );

/** Whether a unique constraint, a primary key or a unique index includes the column, or is of it alone. */
const hasUniqueValues = (column: CatalogObject, catalog: Catalog, alone = false) =>
  constraintsOf(column, catalog).some(
    ({ kind, needs, row: { type, text } }) =>
      ((kind === 'constraint' && (type === 'u' || type === 'p')) ||
        (kind === 'index' && /^create unique/i.test(String(text)))) &&
      (!alone || [...needs].filter((id) => catalog.get(id)?.kind === 'column').length === 1),
  );

const foreignKeyOf = (column: CatalogObject, catalog: Catalog) =>
  constraintsOf(column, catalog).find(({ kind, row: { type } }) => kind === 'constraint' && type === 'f');

/** A key of the referenced table, for one column of a foreign key: the first one, or, in a unique column, one per row. */
function keyOf(column: CatalogObject, text: string, catalog: Catalog): string | undefined {
  const [, from, table, to] = /^FOREIGN KEY \((.*?)\) REFERENCES (.+?)\(([^)]*)\)/.exec(text) ?? [];
  const at = (from ?? '').split(', ').findIndex((name) => name === column.name || name === quote(column.name));
  const key = (to ?? '').split(', ')[at];
  if (!key) return undefined;
  if (!hasUniqueValues(column, catalog)) return `(select ${key} from ${table} order by ${to} limit 1)`;
  const keys = `select ${key} as key, row_number() over (order by ${to}) as n from ${table}`;
  const row = rowNumber(column.row.sql);
  // Together with other columns, a key may come again.
  const n = hasUniqueValues(column, catalog, true)
    ? row
    : `(${row} - 1) % nullif((select count(*) from ${table}), 0) + 1`;
  return `(select key from (${keys}) keys where keys.n = ${n})`;
}

/** A value that a column takes if nothing is known of it: of a foreign key a key, in a unique column one per row. */
function neutralValue(column: CatalogObject, catalog: Catalog): string {
  const { row } = column;
  const key = foreignKeyOf(column, catalog);
  const reference = key && keyOf(column, String(key.row.text), catalog);
  if (reference) return reference;
  const base = baseOf(String(row.base), catalog);
  const [label] = (catalog.get(`type ${base}`)?.row.labels as string[] | undefined) ?? [];
  if (hasUniqueValues(column, catalog)) {
    const value = label === undefined ? uniqueValue(base, String(row.type)) : `(enum_range(null::${base}))[n]`;
    if (value) return rowNumber(row.sql, value);
  }
  if (label !== undefined) return literal(label);
  if (/^(smallint|integer|bigint|numeric|real|double precision)$/.test(base)) return '1';
  if (/^(text|character varying|character|"char"|name)$/.test(base)) return `'-'`;
  if (base === 'bit') return `B'0'::${row.type}`;
  if (/(\[\]|multirange)$/.test(base)) return `'{}'`;
  if (/range$/.test(base)) return `'empty'`;
  return NEUTRAL[base] ?? `''`;
}

/** What a type is under its domains, without a modifier; other types are their own base. */
function baseOf(type: string, catalog: Catalog): string {
  const { row } = catalog.get(`type ${type}`) ?? {};
  return row?.type === 'd' ? baseOf(String(row.base).replace(/\([\d,]+\)/, ''), catalog) : type;
}

const NEUTRAL: Record<string, string> = {
  boolean: 'false',
  uuid: 'gen_random_uuid()',
  json: `'{}'`,
  jsonb: `'{}'`,
  date: `'epoch'`,
  'timestamp with time zone': `'epoch'`,
  'timestamp without time zone': `'epoch'`,
  'time without time zone': `'00:00'`,
  'time with time zone': `'00:00+00'`,
  interval: `'0'`,
  inet: `'0.0.0.0'`,
  cidr: `'0.0.0.0/32'`,
  macaddr: `'00:00:00:00:00:00'`,
  macaddr8: `'00:00:00:00:00:00:00:00'`,
  point: `'(0,0)'`,
  line: `'{1,0,0}'`,
  lseg: `'[(0,0),(0,0)]'`,
  box: `'(0,0),(0,0)'`,
  path: `'[(0,0)]'`,
  polygon: `'((0,0))'`,
  circle: `'<(0,0),0>'`,
  money: '0',
  oid: '0',
  pg_lsn: `'0/0'`,
  jsonpath: `'$'`,
};

/** A value of a type that each row has another of, made of its number n. */
function uniqueValue(base: string, type: string): string | undefined {
  if (base === 'bit') return `n::int::${type}`;
  if (UNIQUE[base]) return UNIQUE[base];
  const [, element] = /^(.*)\[\]$/.exec(base) ?? [];
  const value = element && uniqueValue(element, element);
  return value && `array[${value}]`;
}

const BITS = 'n::int::bit(32)::text';
const TIMESTAMP = `timestamp 'epoch' + n * interval '1 second'`;
const TIMESTAMPTZ = `timestamptz 'epoch' + n * interval '1 second'`;
const DATE = `date 'epoch' + n::int`;

const UNIQUE: Record<string, string> = {
  smallint: 'n',
  integer: 'n',
  bigint: 'n',
  numeric: 'n',
  real: 'n',
  'double precision': 'n',
  text: 'n::text',
  'character varying': 'n::text',
  character: 'n::text',
  '"char"': 'n::text',
  name: 'n::text',
  boolean: 'n > 1',
  'boolean[]': `string_to_array(${BITS}, null)::boolean[]`,
  uuid: 'gen_random_uuid()',
  date: DATE,
  'timestamp with time zone': TIMESTAMPTZ,
  'timestamp without time zone': TIMESTAMP,
  'time without time zone': `time '00:00' + n * interval '1 second'`,
  'time with time zone': `timetz '00:00+00' + n * interval '1 second'`,
  interval: `n * interval '1 second'`,
  jsonb: 'to_jsonb(n)',
  bytea: 'int8send(n)',
  'bit varying': `ltrim(${BITS}, '0')::varbit`,
  inet: `inet '0.0.0.0' + n`,
  cidr: `(inet '0.0.0.0' + n)::cidr`,
  macaddr: `lpad(to_hex(n), 12, '0')::macaddr`,
  macaddr8: `lpad(to_hex(n), 16, '0')::macaddr8`,
  money: 'n::numeric::money',
  oid: 'n::oid',
  pg_lsn: `pg_lsn '0/0' + n`,
  tsvector: 'n::text::tsvector',
  tsquery: 'n::text::tsquery',
  int4range: 'int4range(n::int, n::int + 1)',
  int8range: 'int8range(n, n + 1)',
  numrange: 'numrange(n, n + 1)',
  daterange: `daterange(${DATE}, null)`,
  tsrange: `tsrange(${TIMESTAMP}, null)`,
  tstzrange: `tstzrange(${TIMESTAMPTZ}, null)`,
  int4multirange: 'int4multirange(int4range(n::int, n::int + 1))',
  int8multirange: 'int8multirange(int8range(n, n + 1))',
  nummultirange: 'nummultirange(numrange(n, n + 1))',
  datemultirange: `datemultirange(daterange(${DATE}, null))`,
  tsmultirange: `tsmultirange(tsrange(${TIMESTAMP}, null))`,
  tstzmultirange: `tstzmultirange(tstzrange(${TIMESTAMPTZ}, null))`,
};

/** A value made of the place of a row in its table, as a subquery of an update of it. */
const rowNumber = (table: unknown, value = 'n') =>
  `(select ${value} from (select ctid as id, row_number() over (order by ctid) as n from ${table}) numbered where numbered.id = ${table}.ctid)`;
