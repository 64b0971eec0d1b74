import type { Execute, Row } from '../sql/execute.ts';

/** The first rows of each table. */
export type TableContents = Map<string, Row[]>;

const MAX_ROWS = 1_000;

/** Reads the rows of these tables. In a shadow database they are few: those that migrations insert. */
export async function readTableContents(execute: Execute, tables: Iterable<string>): Promise<TableContents> {
  const contents: TableContents = new Map();
  for (const table of tables) {
    const rows = await execute(
      `select to_jsonb(t) as row from ${table} t order by to_jsonb(t)::text limit ${MAX_ROWS}`,
    );
    contents.set(
      table,
      rows.map(({ row }) => row as Row),
    );
  }
  return contents;
}

/**
 * One line per column whose values differ, for the tables and columns on both sides. A null that was filled is no
 * difference: nothing is lost.
 */
export function changedValues(before: TableContents, after: TableContents, a: string, b: string): string[] {
  return [...before].flatMap(([table, rows]) => {
    const others = after.get(table);
    if (!others) return [];
    if (others.length !== rows.length)
      return [`table ${table}, rows: ${a} has ${rows.length}, ${b} has ${others.length}`];
    const columns = Object.keys(rows[0] ?? {}).filter((column) => column in (others[0] ?? {}));
    const lost = (column: string) => subtract(valuesOf(rows, column), valuesOf(others, column));
    const filled = columns.filter(
      (column) => lost(column).length > 0 && lost(column).every((value) => value === 'null'),
    );
    const compared = columns.filter((column) => !filled.includes(column));
    const changed = compared.flatMap((column) => {
      const removed = lost(column);
      if (removed.length === 0) return [];
      const added = subtract(valuesOf(others, column), valuesOf(rows, column));
      return [`table ${table}, column ${column}: ${a} has ${sample(removed)}, ${b} has ${sample(added)}`];
    });
    if (changed.length > 0) return changed;
    return joinRows(rows, compared) === joinRows(others, compared)
      ? []
      : [`table ${table}: ${b} has the values of ${compared.join(', ')} in other rows than ${a}`];
  });
}

const valuesOf = (rows: Row[], column: string) => rows.map((row) => JSON.stringify(row[column])).sort();

const joinRows = (rows: Row[], columns: string[]) =>
  rows
    .map((row) => JSON.stringify(columns.map((column) => row[column])))
    .sort()
    .join('\n');

/** The multiset difference of two lists. */
function subtract(list: string[], other: string[]): string[] {
  const rest = [...other];
  return list.filter((each) => {
    const at = rest.indexOf(each);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

const sample = (values: string[]) =>
  [...values.slice(0, 3).map((value) => value.slice(0, 60)), ...(values.length > 3 ? ['…'] : [])].join(', ');
