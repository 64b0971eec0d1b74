import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { columnType, indexStatement, lowerKeywords } from '../catalog/definitions.ts';
import { quote } from '../sql/quote.ts';
import { canStay, type Difference } from './difference.ts';
import { type Chain, chain, type Operation, operation, type Step } from './operation.ts';
import { restoreCheck, restoreColumn } from './restore-column.ts';
import { isSerial, tableNameOf, typeOf } from './serial.ts';

/** A table with its columns, constraints (but foreign keys), partitions, indexes, comments and row security. */
export function createTable(table: CatalogObject, catalog: Catalog): Operation {
  const parts = [...catalog.values()].filter((each) => isPartOf(each, table.id, catalog));
  const of = (kind: string) => parts.filter((each) => each.kind === kind);
  const { others } = constraintsOf(table, catalog);
  const { sql, unlogged, partitioned, bound } = table.row;
  const whole = catalog.get(table.parent ?? '')?.row.sql;
  const content = whole
    ? `partition of ${whole} ${lowerKeywords(String(bound))}`
    : `(${tableParts(table, catalog).join(', ')})`;
  const create = `create ${unlogged ? 'unlogged ' : ''}table ${sql} ${content}${partitioned ? ` partition by ${lowerKeywords(String(partitioned))}` : ''}`;
  return operation(
    [
      create,
      ...of('table').flatMap((partition) => createTable(partition, catalog).up),
      ...[...others, ...of('index')].flatMap(({ create }) => create),
      ...[...of('comment'), ...of('row security')].flatMap(({ create }) => create),
    ],
    table.drop,
    { table: whole ? String(whole) : undefined, step: 'create table' },
  );
}

/** The columns and constraints in the parentheses of `create table`. */
export function tableParts(table: CatalogObject, catalog: Catalog): string[] {
  const columns = [...catalog.values()].filter((each) => each.kind === 'column' && each.parent === table.id);
  return [
    ...columns.map((column) => `${quote(column.name)} ${typeOf(column, catalog)}`),
    ...constraintsOf(table, catalog).first.map(
      ({ name, row }) => `constraint ${quote(name)} ${lowerKeywords(String(row.text))}`,
    ),
  ];
}

/** The constraints that `create table` makes, and the others: of two keys with the same columns, it makes one. */
function constraintsOf(table: CatalogObject, catalog: Catalog): Record<'first' | 'others', CatalogObject[]> {
  const keys = new Set<string>();
  const isFirst = ({ row }: CatalogObject) => {
    const key = /[pu]/.test(String(row.type)) ? JSON.stringify(row.columns) : undefined;
    return key === undefined || (!keys.has(key) && keys.add(key));
  };
  const constraints = [...catalog.values()].filter(
    (each) => each.kind === 'constraint' && isPartOf(each, table.id, catalog),
  );
  const { first = [], others = [] } = Object.groupBy(constraints, (each) => (isFirst(each) ? 'first' : 'others'));
  return { first, others };
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
    (object.kind === 'table' ||
      object.kind === 'column' ||
      object.kind === 'index' ||
      object.kind === 'row security' ||
      (object.kind === 'constraint' && object.row.type !== 'f'))
  );
}

/** The operations that create an object in a database that is in use. */
export function createObject(object: CatalogObject, catalog: Catalog, isOfNewTable: boolean, naive: boolean): Chain {
  const table = isOfNewTable ? undefined : String(object.row.sql);
  const plain = (step: Step) => operation(object.create, object.drop, { table, step });
  const isCheck = object.kind === 'constraint' && object.row.type === 'c';
  // Of a partitioned table, PostgreSQL validates only a check later.
  const online = !isOfNewTable && !naive && (!object.row.partitioned || isCheck);
  switch (object.kind) {
    case 'column':
      return createColumn(object, catalog, naive);
    case 'index':
      return online ? [concurrently(object)] : [plain('create index')];
    case 'constraint':
      if (!online || object.row.type === 'x') return [plain('add constraint')];
      return object.row.type === 'f' || isCheck ? notValid(object) : throughIndex(object);
    case 'trigger':
    case 'policy':
    case 'row security':
      return [plain('create trigger')];
    default:
      return [
        operation([...object.create, ...indexesOf(object, catalog)], object.drop, {
          step: CREATES[object.kind] ?? 'add column',
        }),
      ];
  }
}

/** The indexes of a materialized view, which are made and dropped with it. */
const indexesOf = ({ kind, id }: CatalogObject, catalog: Catalog): string[] =>
  kind === 'view'
    ? [...catalog.values()].flatMap((each) => (each.kind === 'index' && each.parent === id ? each.create : []))
    : [];

/** The operation that drops an object in a database that is in use. */
export function dropObject(object: CatalogObject, difference: Difference, naive: boolean): Chain {
  // A comment belongs to an object without locking its table.
  const table = object.parent && object.row.sql ? String(object.row.sql) : undefined;
  if (object.kind === 'index' && !naive && !object.row.partitioned) {
    const { up, down } = concurrently(object);
    return [operation(down, up, { alone: 'concurrent', step: 'drop index' })];
  }
  if (object.kind === 'column') {
    return [operation(object.drop, restoreColumn(object, difference.before), { table, step: 'drop column' })];
  }
  // Dropped late and alone: queries have the index until the table's new ones are built.
  if (hasIndex(object) && !naive && canStay(object, difference) && getsIndex(object.parent, difference)) {
    return [operation(object.drop, object.create, { alone: 'transactional', step: 'drop index' })];
  }
  const isCheck = object.kind === 'constraint' && object.row.type === 'c';
  const create = isCheck ? restoreCheck(object, difference) : object.create;
  return [
    operation(object.drop, [...create, ...indexesOf(object, difference.before)], {
      table,
      step: object.parent ? 'drop from a table' : 'drop the rest',
    }),
  ];
}

/** An index, or a constraint that has one. */
export const hasIndex = ({ kind, row }: CatalogObject) =>
  kind === 'index' || (kind === 'constraint' && /[pu]/.test(String(row.type)));

/** Of a kind that PostgreSQL calls a relation: only one of a schema can have a name. */
export const isRelation = (object: CatalogObject): boolean =>
  ['table', 'view', 'sequence'].includes(object.kind) || hasIndex(object);

const getsIndex = (table: string | undefined, { after, created }: Difference) =>
  [...created].flatMap((id) => after.get(id) ?? []).some((each) => each.parent === table && hasIndex(each));

const CREATES: Record<string, Step> = {
  schema: 'create schema',
  extension: 'create extension',
  type: 'create type',
  sequence: 'create sequence',
  function: 'create function',
  view: 'create view',
  comment: 'comment',
};

/** A column of an existing table. One that requires a value has none in the existing rows, so it is filled first. */
function createColumn(column: CatalogObject, catalog: Catalog, naive: boolean): Chain {
  const table = String(column.row.sql);
  const name = quote(column.name);
  const add = (type: string) => `alter table ${table} add column ${name} ${type}`;
  if (isSerial(column, catalog))
    return [operation(add(typeOf(column, catalog)), column.drop, { table, step: 'add column' })];
  const needsFill = column.row.required && !column.row.default && !column.row.identity && !column.row.generated;
  if (!needsFill || naive) return [operation(column.create, column.drop, { table, step: 'add column' })];
  const fill = operation(
    `update ${table} set ${name} = /* the value for existing rows */ null where ${name} is null`,
    [],
    { alone: 'transactional', step: 'fill column' },
  );
  return chain(
    operation(add(columnType({ ...column.row, required: false })), column.drop, { table, step: 'add column' }),
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
  if (naive) return [operation(...set, { table, step: 'require column' })];
  const check = quote(shorten(`${tableNameOf(column)}_${column.name}_not_null`));
  const add = `${alter} add constraint ${check} check (${name} is not null) not valid`;
  const drop = `${alter} drop constraint ${check}`;
  return chain(
    operation(add, drop, { table, step: 'require column' }),
    operation([`${alter} validate constraint ${check}`, set[0], drop], [set[1], add], {
      alone: 'transactional',
      step: 'validate required column',
    }),
  );
}

/** Adding it without a scan, and checking the rows under a lock that blocks no reads or writes. */
function notValid(constraint: CatalogObject): Chain {
  const table = String(constraint.row.sql);
  const text = String(constraint.create[0]);
  if (/ not valid$/.test(text)) return [operation(text, constraint.drop, { table, step: 'add constraint' })];
  return chain(
    operation(`${text} not valid`, constraint.drop, { table, step: 'add constraint' }),
    operation(`alter table ${table} validate constraint ${quote(constraint.name)}`, [], {
      alone: 'transactional',
      step: 'validate constraint',
    }),
  );
}

/** A unique constraint or primary key through an index that is built concurrently; the constraint then owns the index. */
function throughIndex(constraint: CatalogObject): Chain {
  const { row, name, drop } = constraint;
  const index = concurrentIndex(indexStatement(row.index));
  // In one migration, though not in one transaction.
  return [
    operation([index, `alter table ${row.sql} ${usingIndex(constraint, name)}`], drop, {
      alone: 'concurrent',
      step: 'add constraint using index',
    }),
  ];
}

/** The clause that adds a constraint through an index, which gets the constraint's name. */
export function usingIndex({ row, name }: CatalogObject, index: string): string {
  const kind = row.type === 'p' ? 'primary key' : 'unique';
  const deferred = `${row.deferrable ? ' deferrable' : ''}${row.deferred ? ' initially deferred' : ''}`;
  return `add constraint ${quote(name)} ${kind} using index ${quote(index)}${deferred}`;
}

export const concurrently = ({ create, row }: CatalogObject): Operation =>
  operation(concurrentIndex(String(create[0])), `drop index concurrently if exists ${row.index}`, {
    alone: 'concurrent',
    step: 'create index concurrently',
  });

/** `create index`, made concurrent, with another name if there is one. */
export const concurrentIndex = (sql: string, name?: string) =>
  sql.replace(
    /^create (unique )?index ("(?:[^"]|"")*"|\S+)/i,
    (_, unique = '', own) => `create ${unique}index concurrently if not exists ${name ? quote(name) : own}`,
  );

/** PostgreSQL cuts names off after 63 bytes, so that two would be one: a long name ends with a hash of all of it. */
export function shorten(name: string): string {
  if (Buffer.byteLength(name) <= 63) return name;
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  let start = name;
  while (Buffer.byteLength(start) > 54) start = start.slice(0, -1);
  return `${start}_${hash.toString(16).padStart(8, '0')}`;
}
