import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { columnType } from '../catalog/definitions.ts';
import { quote } from '../sql/quote.ts';
import { isSerial, typeOf } from './serial.ts';

/**
 * Adds a dropped column again. If it required a value, the existing rows get a neutral one: the old values are gone. If
 * it referred to a table that was dropped too, there is none, and rows make `down` fail.
 */
export function restoreColumn(column: CatalogObject, catalog: Catalog): string[] {
  const { row, name } = column;
  const table = String(row.sql);
  const add = (type: string) => `alter table ${table} add column ${quote(name)} ${type}`;
  if (isSerial(column, catalog)) return [add(typeOf(column, catalog))];
  if (row.default || row.identity || row.generated) return column.create;
  const fill = `update ${table} set ${quote(name)} = ${neutralValue(column, catalog)}`;
  // Two nulls are one value to a unique index on coalesce(…), or with nulls not distinct.
  if (!row.required) return hasUniqueExpression(column, catalog) ? [...column.create, fill] : column.create;
  return [
    add(columnType({ ...row, required: false })),
    fill,
    `alter table ${table} alter column ${quote(name)} set not null`,
  ];
}

/** The constraints and indexes of a column. */
const constraintsOf = (column: CatalogObject, catalog: Catalog) =>
  [...catalog.values()].filter((each) => each.parent === column.parent && each.needs.has(column.id));

const hasUniqueExpression = (column: CatalogObject, catalog: Catalog) =>
  constraintsOf(column, catalog).some(
    ({ kind, row: { text, index } }) =>
      (kind === 'index' &&
        /^create unique/i.test(String(text)) &&
        !/^[^(]*\((?:[\w", ]|"(?:[^"]|"")*")*\)$/.test(String(text))) ||
      /nulls not distinct/i.test(String(index ?? text)),
  );

/** The first key of the referenced table, for one column of a foreign key. */
function firstKey(column: CatalogObject, text: string): string | undefined {
  const [, from, table, to] = /^FOREIGN KEY \((.*?)\) REFERENCES (.+?)\(([^)]*)\)/.exec(text) ?? [];
  const at = (from ?? '').split(', ').findIndex((name) => name === column.name || name === quote(column.name));
  const key = (to ?? '').split(', ')[at];
  return key && `(select ${key} from ${table} order by ${to} limit 1)`;
}

/** A value that a column takes if nothing is known of it: of a foreign key the first key, in a unique column one per row. */
function neutralValue(column: CatalogObject, catalog: Catalog): string {
  const { row } = column;
  const constraints = constraintsOf(column, catalog);
  const key = constraints.find(({ kind, row: { type } }) => kind === 'constraint' && type === 'f');
  const reference = key && firstKey(column, String(key.row.text));
  if (reference) return reference;
  const base = String(row.base);
  const isUnique = constraints.some(
    ({ kind, row: { type, text } }) =>
      (kind === 'constraint' && (type === 'u' || type === 'p')) ||
      (kind === 'index' && /^create unique/i.test(String(text))),
  );
  if (/^(smallint|integer|bigint|numeric|real|double precision)$/.test(base))
    return isUnique ? rowNumber(row.sql) : '1';
  if (/^(text|character varying|character|"char"|name)$/.test(base))
    return isUnique ? `${rowNumber(row.sql)}::text` : `'-'`;
  const [label] = (catalog.get(`type ${row.enum}`)?.row.labels as string[] | undefined) ?? [];
  if (label !== undefined) return `'${label.replaceAll("'", "''")}'`;
  if (base.endsWith('[]')) return `'{}'`;
  if (base === 'bit') return `B'0'::${row.type}`;
  if (/multirange$/.test(base)) return `'{}'`;
  if (/range$/.test(base)) return `'empty'`;
  return NEUTRAL[base] ?? `''`;
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

/** The place of a row in its table, as a subquery of an update of it. */
const rowNumber = (table: unknown) =>
  `(select n from (select ctid as id, row_number() over (order by ctid) as n from ${table}) numbered where numbered.id = ${table}.ctid)`;
