import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { createTable, tableParts } from '../plan/create-object.ts';
import { toOneMigration } from '../plan/order.ts';
import { planOperations } from '../plan/plan.ts';

/** The statements that make a schema in an empty database, in an order that depends on the schema only. */
export function databaseSql(catalog: Catalog): string {
  const sorted = inStableOrder(catalog);
  const layouts = new Map([...sorted.values()].flatMap((object) => layoutOf(object, sorted)));
  const statements = toOneMigration(planOperations(new Map(), sorted, { naive: true }).operations).up.map(
    (sql) => `${layouts.get(sql) ?? sql.trim()};`,
  );
  const script = [HEADER, ...statements].reduce((text, sql) => `${text}${isShort(sql) ? '\n' : '\n\n'}${sql}`);
  return `${script}\n`;
}

const HEADER = `-- The schema that the migrations make. Written by migration:create; to write it again: npm run migration repair.
-- Bodies of functions may name tables that come later.
set check_function_bodies = off;`;

/** By id, which is no accident of history; but the columns of a table in their order. */
export function inStableOrder(catalog: Catalog): Catalog {
  const isColumn = ([, { kind }]: [string, CatalogObject]) => kind === 'column';
  const entries = [...catalog];
  const others = entries.filter((entry) => !isColumn(entry)).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map([...others, ...entries.filter(isColumn)]);
}

/** The statement of a table, and the same with a line for each column and constraint, so that a diff shows which changed. */
function layoutOf(object: CatalogObject, catalog: Catalog): [statement: string, layout: string][] {
  if (object.kind !== 'table' || object.row.bound) return [];
  const [statement = ''] = createTable(object, catalog).up;
  const parts = tableParts(object, catalog);
  const layout = parts.length > 0 ? `(\n  ${parts.join(',\n  ')}\n)` : '()';
  return [[statement, statement.replace(`(${parts.join(', ')})`, () => layout)]];
}

/** What belongs to the statement before it: an index, a constraint, a comment. */
const isShort = (sql: string) => !sql.includes('\n') && !/^create (?!index|unique index|trigger)/i.test(sql);
