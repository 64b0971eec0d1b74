import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { columnType, indexStatement, lowerKeywords } from '../catalog/definitions.ts';
import { quote } from '../sql/quote.ts';
import type { Difference } from './difference.ts';
import { type Chain, type Operation, operation } from './operation.ts';

/** A table with its columns, constraints (but foreign keys), indexes and comments. */
export function createTable(table: CatalogObject, catalog: Catalog): Operation {
  const parts = [...catalog.values()].filter((each) => isPartOf(each, table.id, catalog));
  const of = (kind: string) => parts.filter((each) => each.kind === kind);
  const columns = of('column').map((column) => `${quote(column.name)} ${typeOf(column, catalog)}`);
  const constraints = of('constraint').map(
    ({ name, row }) => `constraint ${quote(name)} ${lowerKeywords(String(row.text))}`,
  );
  const { sql, unlogged, partitioned } = table.row;
  const create = `create ${unlogged ? 'unlogged ' : ''}table ${sql} (${[...columns, ...constraints].join(', ')})${partitioned ? ` partition by ${partitioned}` : ''}`;
  return operation(
    [create, ...of('index').flatMap(({ create }) => create), ...of('comment').flatMap(({ create }) => create)],
    table.drop,
    { rank: 20 },
  );
}

/** Whether `create table` and `drop table` of this table include the object. */
export function isPartOf(object: CatalogObject, table: string, catalog: Catalog): boolean {
  if (object.kind === 'sequence')
    return (
      isSerial(catalog.get(String(object.row.owner)), catalog) &&
      catalog.get(String(object.row.owner))?.parent === table
    );
  if (object.kind === 'comment') return object.parent === table || catalog.get(object.parent ?? '')?.parent === table;
  return (
    object.parent === table &&
    (object.kind === 'column' || object.kind === 'index' || (object.kind === 'constraint' && object.row.type !== 'f'))
  );
}

/** The operations that create an object in a database that is in use. */
export function createObject(object: CatalogObject, catalog: Catalog, isNew: boolean, naive: boolean): Chain {
  const table = isNew ? undefined : String(object.row.sql);
  const plain = (rank: number) => operation(object.create, object.drop, { table, rank });
  const online = !isNew && !naive && !object.row.partitioned;
  switch (object.kind) {
    case 'column':
      return createColumn(object, catalog, naive);
    case 'index':
      return online ? [concurrently(object)] : [plain(40)];
    case 'constraint':
      if (!online || object.row.type === 'x') return [plain(45)];
      return object.row.type === 'f' || object.row.type === 'c' ? notValid(object) : throughIndex(object);
    case 'trigger':
    case 'policy':
    case 'row security':
      return [plain(60)];
    default:
      return [operation(object.create, object.drop, { rank: RANKS[object.kind] ?? 30 })];
  }
}

/** The operation that drops an object in a database that is in use. */
export function dropObject(object: CatalogObject, { before: catalog, dropped }: Difference, naive: boolean): Chain {
  const table = object.parent ? String(object.row.sql) : undefined;
  if (object.kind === 'index' && !naive && !object.row.partitioned) {
    const { up, down } = concurrently(object);
    return [operation(down, up, { alone: 'concurrent', rank: 75 })];
  }
  if (object.kind === 'column') {
    const { drop } = object;
    const comments = [...catalog.values()].filter(({ kind, parent }) => kind === 'comment' && parent === object.id);
    return [
      operation(drop, [...restoreColumn(object, catalog, dropped), ...comments.flatMap(({ create }) => create)], {
        table,
        rank: 80,
      }),
    ];
  }
  return [
    operation(object.drop, object.create, {
      table: object.row.sql && object.parent ? table : undefined,
      rank: object.parent ? 10 : 85,
    }),
  ];
}

const RANKS: Record<string, number> = {
  schema: 1,
  extension: 2,
  type: 3,
  sequence: 4,
  function: 15,
  view: 65,
  comment: 70,
};

/** The type of a column as a new table takes it: serial if it is one. */
const typeOf = (column: CatalogObject, catalog: Catalog): string =>
  isSerial(column, catalog)
    ? ({ smallint: 'smallserial', bigint: 'bigserial' }[String(column.row.type)] ?? 'serial')
    : columnType(column.row);

/** Whether `serial` makes this column: its default is the next number of a sequence that it owns, named as PostgreSQL does. */
export function isSerial(column: CatalogObject | undefined, catalog: Catalog): boolean {
  if (column?.kind !== 'column' || !column.row.required) return false;
  const table = String(column.parent).replace(/^table /, '');
  return [...catalog.values()].some(
    ({ kind, row, name, schema }) =>
      kind === 'sequence' &&
      row.owner === column.id &&
      schema === column.schema &&
      name === `${unquote(table)}_${column.name}_seq` &&
      row.type === column.row.type &&
      row.start === '1' &&
      row.increment === '1' &&
      row.min === '1' &&
      row.cache === '1' &&
      !row.cycle &&
      /^nextval\('[^']+'::regclass\)$/.test(String(column.row.default)),
  );
}

const unquote = (name: string) =>
  (/"((?:[^"]|"")*)"$/.exec(name)?.[1] ?? name.split('.').at(-1) ?? '').replaceAll('""', '"');

/** A column of an existing table. One that requires a value has none in the existing rows, so it is filled first. */
function createColumn(column: CatalogObject, catalog: Catalog, naive: boolean): Chain {
  const table = String(column.row.sql);
  const name = quote(column.name);
  const add = (type: string) => `alter table ${table} add column ${name} ${type}`;
  if (isSerial(column, catalog)) return [operation(add(typeOf(column, catalog)), column.drop, { table, rank: 30 })];
  const needsFill = column.row.required && !column.row.default && !column.row.identity && !column.row.generated;
  if (!needsFill || naive) return [operation(column.create, column.drop, { table, rank: 30 })];
  const fill = operation(
    `update ${table} set ${name} = /* the value for existing rows */ null where ${name} is null`,
    [],
    { alone: 'transactional', rank: 35 },
  );
  return chain(
    operation(add(columnType({ ...column.row, required: false })), column.drop, { table, rank: 30 }),
    fill,
    ...requireColumn(column, naive),
  );
}

/** NOT NULL through a check constraint: validating it scans the table under a lock that blocks no reads or writes. */
export function requireColumn(column: CatalogObject, naive: boolean): Chain {
  const table = String(column.row.sql);
  const name = quote(column.name);
  const alter = `alter table ${table}`;
  const set = [`${alter} alter column ${name} set not null`, `${alter} alter column ${name} drop not null`] as const;
  if (naive || column.row.partitioned) return [operation(...set, { table, rank: 36 })];
  const check = quote(shorten(`${unquote(String(column.parent).replace(/^table /, ''))}_${column.name}_not_null`));
  const add = `${alter} add constraint ${check} check (${name} is not null) not valid`;
  const drop = `${alter} drop constraint ${check}`;
  return chain(
    operation(add, drop, { table, rank: 36 }),
    operation([`${alter} validate constraint ${check}`, set[0], drop], [set[1], add], {
      table,
      alone: 'transactional',
      rank: 37,
    }),
  );
}

/** Adding it without a scan, and checking the rows under a lock that blocks no reads or writes. */
function notValid(constraint: CatalogObject): Chain {
  const table = String(constraint.row.sql);
  const text = String(constraint.create[0]);
  if (/ not valid$/.test(text)) return [operation(text, constraint.drop, { table, rank: 45 })];
  return chain(
    operation(`${text} not valid`, constraint.drop, { table, rank: 45 }),
    operation(`alter table ${table} validate constraint ${quote(constraint.name)}`, [], {
      alone: 'transactional',
      rank: 46,
    }),
  );
}

/** A unique constraint or primary key through an index that is built concurrently; the constraint then owns the index. */
function throughIndex(constraint: CatalogObject): Chain {
  const { row, name, drop } = constraint;
  const index = concurrentIndex(indexStatement(row.index));
  const kind = row.type === 'p' ? 'primary key' : 'unique';
  const deferred = `${row.deferrable ? ' deferrable' : ''}${row.deferred ? ' initially deferred' : ''}`;
  const add = `alter table ${row.sql} add constraint ${quote(name)} ${kind} using index ${quote(name)}${deferred}`;
  // In one migration, though not in one transaction.
  return [operation([index, add], drop, { alone: 'concurrent', rank: 43 })];
}

const concurrently = ({ create, row }: CatalogObject): Operation =>
  operation(concurrentIndex(String(create[0])), `drop index concurrently if exists ${row.index}`, {
    alone: 'concurrent',
    rank: 42,
  });

const concurrentIndex = (sql: string) =>
  sql.replace(
    /^create (unique )?index /i,
    (_, unique) => `create ${unique ? 'unique ' : ''}index concurrently if not exists `,
  );

/**
 * Adds a dropped column again. If it required a value, the existing rows get a neutral one: the old values are gone. A
 * reference to a table that is dropped too stays null, because there is no row to refer to.
 */
function restoreColumn(column: CatalogObject, catalog: Catalog, dropped: Set<string>): string[] {
  const { row, name } = column;
  const table = String(row.sql);
  const add = (type: string) => `alter table ${table} add column ${quote(name)} ${type}`;
  if (isSerial(column, catalog)) return [add(typeOf(column, catalog))];
  if (!row.required || row.default || row.identity || row.generated) return column.create;
  const refersToDropped = [...catalog.values()].some(
    ({ kind, parent, needs }) =>
      kind === 'constraint' &&
      parent === column.parent &&
      needs.has(column.id) &&
      [...needs].some((need) => need !== parent && !need.startsWith(`${parent},`) && dropped.has(need)),
  );
  if (refersToDropped) return [add(columnType({ ...row, required: false }))];
  return [
    add(columnType({ ...row, required: false })),
    `update ${table} set ${quote(name)} = ${neutralValue(column, catalog)}`,
    `alter table ${table} alter column ${quote(name)} set not null`,
  ];
}

/** A value that a column takes if nothing is known of it: of a foreign key the first key, in a unique column one per row. */
function neutralValue(column: CatalogObject, catalog: Catalog): string {
  const { row } = column;
  const constraints = [...catalog.values()].filter(
    (each) => each.parent === column.parent && each.needs.has(column.id),
  );
  const key = constraints.find(({ kind, row: { type } }) => kind === 'constraint' && type === 'f');
  const [, referenced] = /REFERENCES (\S+?\(.*?\))/.exec(String(key?.row.text)) ?? [];
  const [, table, keyColumn] = /^(.*)\((.*)\)$/.exec(referenced ?? '') ?? [];
  if (table && keyColumn && !keyColumn.includes(',')) return `(select ${keyColumn} from ${table} order by 1 limit 1)`;
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

/** Each operation after the one before. */
export function chain(first: Operation, ...others: Operation[]): Chain {
  for (const [i, each] of others.entries()) each.after.add(i === 0 ? first : (others[i - 1] as Operation));
  return [first, ...others];
}

/** PostgreSQL cuts names off after 63 bytes, so that two would be one: a long name ends with a hash of all of it. */
export function shorten(name: string): string {
  if (Buffer.byteLength(name) <= 63) return name;
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  let start = name;
  while (Buffer.byteLength(start) > 54) start = start.slice(0, -1);
  return `${start}_${hash.toString(16).padStart(8, '0')}`;
}
