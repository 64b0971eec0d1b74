import type { Statement, Tree } from './statements.ts';

/** Sends a query over whichever connection its owner is on: embedded, there is only one. */
export type Ask = (sql: string) => Promise<Row[]>;

export type Row = Record<string, unknown>;

/** What of the data that is there now the statements would drop: a line for each table and column that is not empty. */
export async function lossesOf(statements: Statement[], ask: Ask): Promise<string[]> {
  const losses: string[] = [];
  for (const { table, column } of statements.flatMap(dropped)) {
    const [there] = await ask(`select to_regclass('${table.replaceAll("'", "''")}') is not null as yes`);
    if (!there?.yes) continue;
    const has = column
      ? await ask(
          `select 1 from pg_attribute where attrelid = to_regclass('${table.replaceAll("'", "''")}') and attname = '${column.replaceAll("'", "''")}'`,
        )
      : [1];
    if (has.length === 0) continue;
    // Counted up to a bound: that there is something to lose matters, not how many millions.
    const where = column ? `where ${quote(column)} is not null` : '';
    const [counted] = await ask(`select count(*)::int as n from (select 1 from ${table} ${where} limit 10001) t`);
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
      table: each.List.items.map((item: Tree) => quote(item.String.sval)).join('.'),
    }));
  }
  if (kind === 'TruncateStmt') {
    return tree.relations.map((each: Tree) => ({ table: tableOf(each.RangeVar) }));
  }
  if (kind === 'AlterTableStmt' && tree.objtype === 'OBJECT_TABLE') {
    const table = tableOf(tree.relation);
    return tree.cmds.flatMap(({ AlterTableCmd: cmd }: Tree) =>
      cmd?.subtype === 'AT_DropColumn' ? [{ table, column: cmd.name }] : [],
    );
  }
  return [];
}

/** A table of the grammar as SQL: "public"."articles". */
export const tableOf = (relation: { schemaname?: string; relname: string }) =>
  [relation.schemaname, relation.relname]
    .filter((part): part is string => Boolean(part))
    .map(quote)
    .join('.');

export const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
