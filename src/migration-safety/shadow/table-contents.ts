import type { Execute, Row } from '../sql/execute.ts';

/** What stands in each table, as text, up to so many rows of it. */
export type TableContents = Map<string, Row[]>;

const most = 1_000;

/** Reads the rows of these tables. History alone has few: those that migrations put there themselves. */
export async function readTableContents(execute: Execute, tables: Iterable<string>): Promise<TableContents> {
  const contents: TableContents = new Map();
  for (const table of tables) {
    const rows = await execute(`select to_jsonb(t) as row from ${table} t order by to_jsonb(t)::text limit ${most}`);
    contents.set(
      table,
      rows.map(({ row }) => row as Row),
    );
  }
  return contents;
}

/** Which columns have other values than before, a line each, over the tables and columns that are on both sides. */
export function changedValues(before: TableContents, after: TableContents, a: string, b: string): string[] {
  return [...before].flatMap(([table, rows]) => {
    const others = after.get(table);
    // Another number of rows is a difference of its own.
    if (!others || others.length !== rows.length) return [];
    const columns = Object.keys(rows[0] ?? {}).filter((column) => column in (others[0] ?? {}));
    const changed = columns.flatMap((column) => {
      const [was, is] = [valuesOf(rows, column), valuesOf(others, column)];
      if (was.join('\n') === is.join('\n')) return [];
      const [lost, came] = [without(was, is), without(is, was)];
      return [`table ${table}, column ${column}: ${a} has ${some(lost)}, ${b} has ${some(came)}`];
    });
    if (changed.length > 0) return changed;
    return whole(rows, columns) === whole(others, columns)
      ? []
      : [`table ${table}: ${b} has the values of ${columns.join(', ')} in other rows than ${a}`];
  });
}

const valuesOf = (rows: Row[], column: string) => rows.map((row) => JSON.stringify(row[column])).sort();

const whole = (rows: Row[], columns: string[]) =>
  rows
    .map((row) => JSON.stringify(columns.map((column) => row[column])))
    .sort()
    .join('\n');

/** What is in the first list and not in the second, each as often as it is missing. */
function without(list: string[], other: string[]): string[] {
  const rest = [...other];
  return list.filter((each) => {
    const at = rest.indexOf(each);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

const some = (values: string[]) =>
  [...values.slice(0, 3).map((value) => value.slice(0, 60)), ...(values.length > 3 ? ['…'] : [])].join(', ');
