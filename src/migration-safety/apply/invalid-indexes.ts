import type { Execute } from '../sql/execute.ts';
import { literal, qualifiedName, quotedTable } from '../sql/quote.ts';
import { parseStatements, type Statement, type Tree } from '../sql/statements.ts';

/**
 * Before `create index concurrently`: drops an index of this name that an earlier attempt left INVALID. Queries don't
 * use it, writes maintain it, and creating it again fails. Returns true if the same index exists and is valid, because
 * an earlier attempt was stopped between building and recording it.
 */
export async function resumeIndexBuild(
  statement: Statement,
  execute: Execute,
  log: (text: string) => void,
): Promise<boolean> {
  const { kind, tree } = statement;
  if (kind !== 'IndexStmt' || !tree.concurrent || !tree.idxname) return false;
  const table = quotedTable(tree.relation);
  const [index] = await execute(
    `select i.indisvalid as valid, i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
       from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relname = ${literal(tree.idxname)} and i.indrelid = to_regclass(${literal(table)})`,
  );
  if (!index) return false;
  if (index.valid) return sameIndex(statement, parseStatements(String(index.definition))[0]);
  log(`Dropping the index ${index.name}, which an earlier attempt left invalid`);
  await execute(`drop index concurrently if exists ${index.name}`);
  return false;
}

/** After a failed concurrent statement: the name of the index that it left INVALID, as SQL. */
export async function invalidIndexLeftBy({ kind, tree }: Statement, execute: Execute): Promise<string | undefined> {
  const [name, schema] =
    kind === 'IndexStmt'
      ? [tree.idxname, tree.relation.schemaname]
      : kind === 'DropStmt' && tree.removeType === 'OBJECT_INDEX'
        ? tree.objects[0].List.items.map((item: Tree) => item.String.sval).reverse()
        : [];
  if (!name) return undefined;
  const [index] = await execute(
    `select indexrelid::regclass::text as name from pg_index where not indisvalid and indexrelid = to_regclass(${literal(qualifiedName(schema, name))})`,
  );
  return index && String(index.name);
}

function sameIndex(a: Statement, b: Statement | undefined): boolean {
  return b !== undefined && shape(a.tree) === shape(b.tree);
}

/** The tree without what PostgreSQL adds or omits in pg_get_indexdef. */
function shape(tree: unknown): string {
  return JSON.stringify(tree, (key, value) => {
    if (['location', 'concurrent', 'if_not_exists', 'schemaname'].includes(key)) return undefined;
    if (key === 'accessMethod' && value === 'btree') return undefined;
    return value;
  });
}
