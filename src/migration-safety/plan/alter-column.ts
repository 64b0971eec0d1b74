import type { CatalogObject } from '../catalog/catalog.ts';
import { columnDefault, shortType } from '../catalog/definitions.ts';
import { literal, quote } from '../sql/quote.ts';
import { requireColumn } from './create-object.ts';
import { type Difference, isOfRebuiltEnum, readersOf } from './difference.ts';
import { type Chain, chain, type Operation, operation } from './operation.ts';
import { recompileTriggers } from './recompile-triggers.ts';

/** The operations that turn one column into another where it is. */
export function alterColumn(
  old: CatalogObject,
  now: CatalogObject,
  difference: Difference,
  naive: boolean,
): Chain | undefined {
  const table = String(now.row.sql);
  // The enum that is made anew gives its columns their defaults.
  const keepsDefault = old.row.type === now.row.type && isOfRebuiltEnum(old, difference);
  const sequence = sequenceInstead(old, difference);
  const up = columnChanges(old, now, keepsDefault, sequence);
  const down =
    old.row.generated && !now.row.generated
      ? addAgain(old, difference)
      : columnChanges(now, old, keepsDefault, sequence);
  const becomesRequired = now.row.required && !old.row.required;
  const operations: Operation[] = [];
  if (old.row.required && !now.row.required) {
    up.push(`alter table ${table} alter column ${quote(now.name)} drop not null`);
    // Before an identity, which needs it.
    down.unshift(`alter table ${table} alter column ${quote(now.name)} set not null`);
  }
  if (old.row.type !== now.row.type) {
    const recompiled = recompileTriggers([old], difference);
    up.push(...recompiled);
    down.push(...recompiled);
  }
  if (up.length > 0 || down.length > 0) operations.push(operation(up, down, { table, step: 'alter column' }));
  if (becomesRequired) operations[now.row.identity ? 'unshift' : 'push'](...requireColumn(now, naive));
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

/**
 * The new sequence of a column that had an identity. The identity has one of its own, often of the same name, so the one is made
 * between dropping the other and setting the default, and goes on after the last number.
 */
export const sequenceInstead = (column: CatalogObject, { after, created }: Difference): CatalogObject | undefined =>
  column.row.identity
    ? [...after.values()].find(({ id, kind, row }) => kind === 'sequence' && row.owner === column.id && created.has(id))
    : undefined;

/** The statements that change a column, but for NOT NULL. The sequence takes the place of its identity, or the reverse. */
function columnChanges(
  old: CatalogObject,
  now: CatalogObject,
  keepsDefault: boolean,
  sequence: CatalogObject | undefined,
): string[] {
  const alter = `alter table ${now.row.sql} alter column ${quote(now.name)}`;
  const retyped = old.row.type !== now.row.type || old.row.collation !== now.row.collation;
  const [had, has] = [old.row, now.row].map((row) => (row.generated ? null : row.default));
  const statements: string[] = [];
  if (old.row.generated && !now.row.generated) statements.push(`${alter} drop expression`);
  if (old.row.identity && !now.row.identity) statements.push(`${alter} drop identity`, ...(sequence?.create ?? []));
  const resets = !keepsDefault && (had !== has || (retyped && had));
  if (resets && had) statements.push(`${alter} drop default`);
  if (now.row.identity && sequence) statements.push(...sequence.drop);
  if (retyped) {
    const collate = now.row.collation ? ` collate ${now.row.collation}` : '';
    statements.push(`${alter} type ${shortType(String(now.row.type))}${collate}${conversion(old, now)}`);
  }
  if (resets && has) statements.push(`${alter} set default ${columnDefault(now.row)}`);
  const goOn = (from: string) =>
    `select setval(${from}, coalesce((select max(${quote(now.name)}) from ${now.row.sql}), 0) + 1, false)`;
  if (old.row.identity && sequence) {
    statements.push(
      `alter sequence ${sequence.row.sql} owned by ${now.row.sql}.${quote(now.name)}`,
      goOn(literal(String(sequence.row.sql))),
    );
  }
  if (now.row.identity && !old.row.identity) {
    statements.push(
      `${alter} add generated ${identityKind(now)} as identity (${now.row.identity_options})`,
      goOn(`pg_get_serial_sequence(${literal(String(now.row.sql))}, ${literal(now.name)})`),
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
 * would cut it off. Money becomes other numbers, and they money, through numeric; booleans become 0 and 1, which become them.
 * Other types without an assignment are converted through their text.
 */
function conversion(old: CatalogObject, now: CatalogObject): string {
  const [from, to] = [String(old.row.base), String(now.row.base)];
  const element = (type: string) => type.replace(/(\[\])+$/, '');
  const isArray = (type: string) => type.endsWith('[]');
  if (isArray(from) === isArray(to)) {
    const [one, other] = [element(from), element(to)];
    const through = (type: string) => ` using ${quote(now.name)}::${type}${isArray(from) ? '[]' : ''}`;
    if ((one === 'money') !== (other === 'money') && NUMBER.test(one) && NUMBER.test(other)) return through('numeric');
    if (one === 'boolean' && NUMBER.test(other)) return through('integer');
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
  /^macaddr8?$/,
];

const isAssignable = (from: string, to: string) =>
  from === to || (TEXT.test(to) && from !== '') || FAMILIES.some((family) => family.test(from) && family.test(to));
