import { parseStatements, type Tree } from '../sql/statements.ts';

/**
 * The query of a view as PostgreSQL 16 and later print it: columns of a query that reads one table only stand without
 * the table. Older versions name it, so that the same view would seem to differ between the server and the shadow.
 */
export function withoutOnlyTable(query: string): string {
  const [statement] = parseStatements(query);
  const sources = statement?.kind === 'SelectStmt' ? (statement.tree.fromClause ?? []) : [];
  const [source] = sources;
  if (sources.length !== 1 || !source || source.JoinExpr) return query;
  const bytes = Buffer.from(query);
  const parts: string[] = [];
  let rest = 0;
  for (const location of columnsOf(statement?.tree).sort((a, b) => a - b)) {
    const qualifier = /^(?:"(?:[^"]|"")*"|[^\s".]+)\./.exec(bytes.subarray(location).toString())?.[0] ?? '';
    parts.push(bytes.subarray(rest, location).toString());
    rest = location + Buffer.byteLength(qualifier);
  }
  return [...parts, bytes.subarray(rest).toString()].join('');
}

/** Where the query names a column by its table. Queries inside it name their columns by the same rule of their own. */
function columnsOf(tree: Tree): number[] {
  if (tree === null || typeof tree !== 'object') return [];
  if (tree.ColumnRef) return tree.ColumnRef.fields.length === 2 ? [tree.ColumnRef.location ?? 0] : [];
  return Object.entries(tree).flatMap(([key, value]) =>
    ['subselect', 'RangeSubselect', 'withClause'].includes(key) ? [] : columnsOf(value),
  );
}
