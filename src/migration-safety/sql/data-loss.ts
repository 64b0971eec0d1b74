import type { Execute } from './execute.ts';
import { literal, qualifiedName, quote, quotedTable } from './quote.ts';
import type { Statement, Tree } from './statements.ts';

/** Describes the data that the statements would drop: one line for each table or column that has any. */
export async function findDataLoss(statements: Statement[], execute: Execute): Promise<string[]> {
  const losses: string[] = [];
  for (const { table, column } of statements.flatMap(droppedData)) {
    if (!(await exists(table, column, execute))) continue;
    // Counted up to a bound: whether there is data matters, not how many millions of rows.
    const where = column ? `where ${quote(column)} is not null` : '';
    const [counted] = await execute(`select count(*)::int as n from (select 1 from ${table} ${where} limit 10001) t`);
    const n = Number(counted?.n ?? 0);
    const rows = n > 10_000 ? 'more than 10000 rows' : `${n} ${n === 1 ? 'row' : 'rows'}`;
    if (n > 0)
      losses.push(
        `${column ? `column ${table}.${quote(column)}: ${rows} with a value` : `table ${table}: ${rows}`} (select * from ${table}${where && ` ${where}`})`,
      );
  }
  return losses;
}

interface DroppedData {
  table: string;
  column?: string;
}

/** The tables and columns that a statement drops or truncates. */
function droppedData({ kind, tree }: Statement): DroppedData[] {
  if (kind === 'DropStmt' && tree.removeType === 'OBJECT_TABLE') {
    return tree.objects.map((each: Tree) => ({
      table: qualifiedName(...each.List.items.map((item: Tree) => item.String.sval)),
    }));
  }
  if (kind === 'TruncateStmt') {
    return tree.relations.map((each: Tree) => ({ table: quotedTable(each.RangeVar) }));
  }
  if (kind === 'AlterTableStmt' && tree.objtype === 'OBJECT_TABLE') {
    const table = quotedTable(tree.relation);
    return tree.cmds.flatMap(({ AlterTableCmd: cmd }: Tree) =>
      cmd?.subtype === 'AT_DropColumn' ? [{ table, column: cmd.name }] : [],
    );
  }
  return [];
}

async function exists(table: string, column: string | undefined, execute: Execute): Promise<boolean> {
  const [found] = await execute(`select to_regclass(${literal(table)}) is not null as yes`);
  if (!found?.yes || !column) return Boolean(found?.yes);
  const columns = await execute(
    `select 1 from pg_attribute where attrelid = to_regclass(${literal(table)}) and attname = ${literal(column)}`,
  );
  return columns.length > 0;
}
