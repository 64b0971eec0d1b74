import type { Tree } from '../sql/statements.ts';

/** A type as PostgreSQL's grammar names it: varchar, int4, timestamptz. */
export interface ColumnType {
  name: string;
  /** What stands in parentheses: the length, or precision and scale. */
  modifiers: number[];
  array: boolean;
  collation: string;
}

/** The type that a column definition declares, without a serial's default. */
export function columnType(column: Tree): ColumnType {
  const { names = [], typmods = [], arrayBounds } = column.typeName ?? {};
  const path: string[] = names.map((each: Tree) => each.String.sval).filter((each: string) => each !== 'pg_catalog');
  return {
    name: SERIAL[path.join('.')] ?? path.join('.'),
    modifiers: typmods.map((each: Tree) => each.A_Const?.ival?.ival ?? 0),
    array: arrayBounds !== undefined,
    collation: (column.collClause?.collname ?? []).map((each: Tree) => each.String.sval).join('.'),
  };
}

/** Whether PostgreSQL changes the type without reading or writing the rows, and every value fits. */
export function isWidening(from: ColumnType, to: ColumnType): boolean {
  if (JSON.stringify(from) === JSON.stringify(to)) return true;
  if (from.array || to.array || from.collation !== to.collation) return false;
  return WIDENINGS[`${from.name} to ${to.name}`]?.(from.modifiers, to.modifiers) ?? false;
}

const SERIAL: Record<string, string> = {
  smallserial: 'int2',
  serial2: 'int2',
  serial: 'int4',
  serial4: 'int4',
  bigserial: 'int8',
  serial8: 'int8',
};

type Modifiers = number[];

/** No length means no limit. */
const longer = ([from]: Modifiers, [to]: Modifiers) => to === undefined || (from !== undefined && to >= from);

/** No precision means microseconds, the finest. */
const finer = ([from = 6]: Modifiers, [to = 6]: Modifiers) => to >= from;

const WIDENINGS: Record<string, (from: Modifiers, to: Modifiers) => boolean> = {
  'varchar to varchar': longer,
  'varchar to text': () => true,
  'text to varchar': (_, to) => to.length === 0,
  'varbit to varbit': longer,
  'numeric to numeric': (from, to) => longer(from, to) && (to.length === 0 || (from[1] ?? 0) === (to[1] ?? 0)),
  'time to time': finer,
  'timetz to timetz': finer,
  'timestamp to timestamp': finer,
  'timestamptz to timestamptz': finer,
  // The first modifier of an interval is the set of its fields, the second the precision of its seconds.
  'interval to interval': (from, to) => to.length === 0 || (from[0] === to[0] && finer(from.slice(1), to.slice(1))),
  'cidr to inet': () => true,
};
