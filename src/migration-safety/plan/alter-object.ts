import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { columnDefault, shortType } from '../catalog/definitions.ts';
import { literal, qualifiedName, quote } from '../sql/quote.ts';
import { requireColumn, shorten } from './create-object.ts';
import { type Difference, isOfRebuiltEnum, isRebuiltEnum, readsTypes } from './difference.ts';
import { type Chain, chain, type Operation, operation } from './operation.ts';
import { recompileTriggers } from './recompile-triggers.ts';

/** The operations that turn one object into another of the same id, where it is. */
export function alterObject(
  old: CatalogObject,
  now: CatalogObject,
  difference: Difference,
  naive: boolean,
): Chain | undefined {
  const table = old.parent ? String(old.row.sql) : undefined;
  switch (old.kind) {
    case 'column':
      return alterColumn(old, now, difference, naive);
    case 'type':
      return alterEnum(old, now, difference);
    case 'sequence':
      return old.definition === now.definition
        ? undefined
        : [operation(sequenceOptions(now), sequenceOptions(old), { step: 'alter sequence' })];
    case 'row security':
      return [operation(forced(now), forced(old), { table, step: 'create trigger' })];
    default:
      return [operation(now.create, old.create, { step: old.kind === 'comment' ? 'comment' : 'create function' })];
  }
}

/** Options of sequences are set one by one: what is not named stays. */
const sequenceOptions = ({ row, definition }: CatalogObject) =>
  `alter sequence ${row.sql} ${definition}${row.cycle ? '' : ' no cycle'}`;

const forced = ({ row }: CatalogObject) => `alter table ${row.sql} ${row.forced ? '' : 'no '}force row level security`;

function alterColumn(
  old: CatalogObject,
  now: CatalogObject,
  difference: Difference,
  naive: boolean,
): Chain | undefined {
  const table = String(now.row.sql);
  // The enum that is made anew gives its columns their defaults.
  const keepsDefault = old.row.type === now.row.type && isOfRebuiltEnum(old, difference);
  const up = columnChanges(old, now, keepsDefault);
  const down =
    old.row.generated && !now.row.generated ? addAgain(old, difference) : columnChanges(now, old, keepsDefault);
  const becomesRequired = now.row.required && !old.row.required;
  const operations: Operation[] = [];
  if (old.row.required && !now.row.required) {
    up.push(`alter table ${table} alter column ${quote(now.name)} drop not null`);
    down.push(`alter table ${table} alter column ${quote(now.name)} set not null`);
  }
  if (old.row.type !== now.row.type) {
    const recompiled = recompileTriggers([old], difference);
    up.push(...recompiled);
    down.push(...recompiled);
  }
  if (up.length > 0 || down.length > 0) operations.push(operation(up, down, { table, step: 'alter column' }));
  if (becomesRequired) operations.push(...requireColumn(now, naive));
  const [first, ...others] = operations;
  return first && chain(first, ...others);
}

/** A column whose expression was dropped, computed again: with the indexes and constraints that go with the column. */
function addAgain(column: CatalogObject, { before, dropped }: Difference): string[] {
  const stays = ({ id }: CatalogObject) => !dropped.has(id);
  const readers = readersOf([column], before).filter(stays);
  const parts = [...before.values()].filter(
    (each) => ['index', 'constraint', 'comment'].includes(each.kind) && each.needs.has(column.id) && stays(each),
  );
  return [
    ...[...readers].reverse().flatMap(({ drop }) => drop),
    ...column.drop,
    ...[column, ...parts, ...readers].flatMap(({ create }) => create),
  ];
}

/** The statements that change a column, but for NOT NULL. */
function columnChanges(old: CatalogObject, now: CatalogObject, keepsDefault: boolean): string[] {
  const alter = `alter table ${now.row.sql} alter column ${quote(now.name)}`;
  const retyped = old.row.type !== now.row.type || old.row.collation !== now.row.collation;
  const [had, has] = [old.row, now.row].map((row) => (row.generated ? null : row.default));
  const statements: string[] = [];
  if (old.row.generated && !now.row.generated) statements.push(`${alter} drop expression`);
  if (old.row.identity && !now.row.identity) statements.push(`${alter} drop identity`);
  const resets = !keepsDefault && (had !== has || (retyped && had));
  if (resets && had) statements.push(`${alter} drop default`);
  if (retyped) {
    const collate = now.row.collation ? ` collate ${now.row.collation}` : '';
    statements.push(`${alter} type ${shortType(String(now.row.type))}${collate}${conversion(old, now)}`);
  }
  if (resets && has) statements.push(`${alter} set default ${columnDefault(now.row)}`);
  if (now.row.identity && !old.row.identity) {
    statements.push(
      `${alter} add generated ${identityKind(now)} as identity (${now.row.identity_options})`,
      `select setval(pg_get_serial_sequence(${literal(String(now.row.sql))}, ${literal(now.name)}), coalesce((select max(${quote(now.name)}) from ${now.row.sql}), 0) + 1, false)`,
    );
  } else if (now.row.identity && old.row.identity) {
    if (now.row.identity !== old.row.identity) statements.push(`${alter} set generated ${identityKind(now)}`);
    const options = identityOptions(old, now);
    if (options) statements.push(`${alter} ${options}`);
  }
  return statements;
}

const identityKind = ({ row }: CatalogObject) => (row.identity === 'a' ? 'always' : 'by default');

/** The options of the identity's sequence that differ; the limits follow the type of the column. */
function identityOptions(old: CatalogObject, now: CatalogObject): string {
  if (old.row.identity_options === now.row.identity_options) return '';
  const parse = (row: Record<string, unknown>) =>
    new Map([...String(row.identity_options).matchAll(/(\w+) (-?\d+)/g)].map(([, name, value]) => [name, value]));
  const before = parse(old.row);
  const retyped = old.row.type !== now.row.type;
  const changed = [...parse(now.row)].filter(
    ([name, value]) => before.get(name) !== value && !(retyped && /value$/.test(String(name))),
  );
  const cycle = (row: Record<string, unknown>) => /cycle$/.test(String(row.identity_options));
  return [
    ...changed.map(([name, value]) => `set ${name} ${value}`),
    ...(cycle(old.row) === cycle(now.row) ? [] : [`set ${cycle(now.row) ? '' : 'no '}cycle`]),
  ].join(' ');
}

/**
 * How the values become the new type. PostgreSQL's own assignment refuses a value that does not fit; an explicit cast
 * would cut it off. Money becomes other numbers, and they money, through numeric; other types without an assignment are converted
 * through their text.
 */
function conversion(old: CatalogObject, now: CatalogObject): string {
  const [from, to] = [String(old.row.base), String(now.row.base)];
  const element = (type: string) => type.replace(/(\[\])+$/, '');
  const isArray = (type: string) => type.endsWith('[]');
  if (isArray(from) === isArray(to)) {
    const [one, other] = [element(from), element(to)];
    if ((one === 'money') !== (other === 'money') && NUMBER.test(one) && NUMBER.test(other))
      return ` using ${quote(now.name)}::numeric${isArray(from) ? '[]' : ''}`;
    if (isAssignable(one, other)) return '';
  }
  if (TEXT.test(to)) return '';
  return ` using ${quote(now.name)}::text::${shortType(to)}`;
}

const TEXT = /^(text|character varying|character|name)$/;

const NUMBER = /^(smallint|integer|bigint|numeric|real|double precision|money)$/;

/** Types whose values PostgreSQL assigns to each other. */
const FAMILIES = [
  TEXT,
  NUMBER,
  /^(date|timestamp with(out)? time zone)$/,
  /^(time with(out)? time zone)$/,
  /^jsonb?$/,
  /^bit( varying)?$/,
  /^(inet|cidr)$/,
];

const isAssignable = (from: string, to: string) =>
  from === to || (TEXT.test(to) && from !== '') || FAMILIES.some((family) => family.test(from) && family.test(to));

/** New values are added; if values are removed or moved, the type is made anew and the columns are converted. */
function alterEnum(old: CatalogObject, now: CatalogObject, difference: Difference): Chain {
  const rebuilt = isRebuiltEnum(old, now);
  const { before, dropped } = difference;
  const users = columnsOf(old, difference);
  const recompiled = recompileTriggers(users, difference);
  const anew = (from: CatalogObject, to: CatalogObject, columns = users) => [
    ...rebuild(from, to, columns),
    ...recompiled,
  ];
  const usersAfter = users.map((each) => {
    const { type, default: value } = difference.after.get(each.id)?.row ?? {};
    return type === each.row.type ? { ...each, row: { ...each.row, default: value } } : each;
  });
  if (rebuilt) return [operation(anew(old, now, usersAfter), anew(now, old), { step: 'alter enum' })];
  const labels = now.row.labels as string[];
  const added = labels.filter((label) => !(old.row.labels as string[]).includes(label));
  const up = added.map((label) => {
    const at = labels.indexOf(label);
    const place = at === 0 ? ` before ${literal(nextKept(labels, added))}` : ` after ${literal(labels[at - 1] ?? '')}`;
    return `alter type ${now.row.sql} add value if not exists ${literal(label)}${labels.length > 1 ? place : ''}`;
  });
  const dependents = readersOf(users, before).filter(({ id }) => !dropped.has(id));
  const down = [
    ...[...dependents].reverse().flatMap(({ kind, drop }) => (kind === 'index' ? [] : drop)),
    ...anew(now, old),
    ...dependents.flatMap(({ create }) => create),
  ];
  return [operation(up, down, { alone: 'transactional', step: 'alter enum' })];
}

const nextKept = (labels: string[], added: string[]) => labels.find((label) => !added.includes(label)) ?? '';

/** The enum made anew, and its columns, with the defaults that they have then, converted by the text of the values. */
function rebuild(old: CatalogObject, now: CatalogObject, users: CatalogObject[]): string[] {
  const temporary = shorten(`${old.name}_before`);
  return [
    `alter type ${old.row.sql} rename to ${quote(temporary)}`,
    ...now.create,
    ...users.flatMap(({ name, row }) => {
      const alter = `alter table ${row.sql} alter column ${quote(name)}`;
      const type = shortType(String(row.type));
      return [
        `${alter} drop default`,
        `${alter} type ${type} using ${quote(name)}::text${type.endsWith('[]') ? '[]' : ''}::${type}`,
        ...(row.default ? [`${alter} set default ${row.default}`] : []),
      ];
    }),
    `drop type ${qualifiedName(old.schema === 'public' ? undefined : old.schema, temporary)}`,
  ];
}

/** The columns of an enum before and after: those that go, or get another type, do so before the enum changes. */
export const columnsOf = (type: CatalogObject, { before, after, dropped }: Difference): CatalogObject[] =>
  [...before.values()].filter(
    ({ id, kind, needs, row }) =>
      kind === 'column' &&
      !row.generated &&
      !dropped.has(id) &&
      needs.has(type.id) &&
      after.get(id)?.needs.has(type.id),
  );

/**
 * What PostgreSQL does not convert along with these columns, and what needs that in turn, each after what it needs. The
 * comments of the columns stay, and so do their own indexes and constraints.
 */
export function readersOf(columns: CatalogObject[], catalog: Catalog): CatalogObject[] {
  const found = new Map(columns.map((column) => [column.id, column]));
  const readers = new Map<string, CatalogObject>();
  for (let size = -1; size < readers.size; ) {
    size = readers.size;
    for (const object of catalog.values()) {
      const needs = [...object.needs];
      const reads = readsTypes(object) && needs.some((need) => found.has(need));
      if (found.has(object.id) || !(reads || needs.some((need) => readers.has(need)))) continue;
      found.set(object.id, object);
      readers.set(object.id, object);
    }
  }
  return [...readers.values()];
}
