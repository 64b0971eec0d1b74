import type { Execute } from './execute.ts';
import { literal, qualifiedName, quote, quotedTable } from './quote.ts';
import type { Statement, Tree } from './statements.ts';

/** What of the data that is there now the statements would drop: a line for each table and column that is not empty. */
export async function findDataLoss(statements: Statement[], execute: Execute): Promise<string[]> {
  const losses: string[] = [];
  for (const { table, column } of statements.flatMap(dropped)) {
    const [there] = await execute(`select to_regclass(${literal(table)}) is not null as yes`);
    if (!there?.yes) continue;
    const has = column
      ? await execute(
          `select 1 from pg_attribute where attrelid = to_regclass(${literal(table)}) and attname = ${literal(column)}`,
        )
      : [1];
    if (has.length === 0) continue;
    // Counted up to a bound: that there is something to lose matters, not how many millions.
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

export interface Dropped {
  table: string;
  column?: string;
}

/** The tables and columns a statement drops, or empties. */
export function dropped({ kind, tree }: Statement): Dropped[] {
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
