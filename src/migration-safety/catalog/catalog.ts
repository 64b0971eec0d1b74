import type { Execute, Row } from '../sql/execute.ts';
import { literal } from '../sql/quote.ts';
import { DEFINITIONS, type Definition } from './definitions.ts';
import { DEPENDENCIES, type Kind, QUERIES } from './queries.ts';
import { sameDefinition } from './same-definition.ts';

export type { Kind };

/** One object of a database: a table, a column, an index, a trigger and so on. */
export interface CatalogObject extends Definition {
  /** A readable name that identifies it: 'table articles, column slug'. */
  id: string;
  kind: Kind;
  schema: string;
  /** The table or view that it belongs to, as an id. */
  parent: string | undefined;
  name: string;
  /** The ids of the objects that it depends on. */
  needs: Set<string>;
  /** What the catalog says of it, by kind; see queries.ts. */
  row: Row;
}

/** All objects of a database by their ids. */
export type Catalog = Map<string, CatalogObject>;

/**
 * Reads PostgreSQL's catalog. MikroORM's introspection misses what migrations make by hand, prints no definition that
 * can be run again, and knows no dependencies.
 */
export async function readCatalog(execute: Execute, trackingTable: string): Promise<Catalog> {
  const catalog: Catalog = new Map();
  const ids = new Map<string, string>();
  for (const [kind, query] of Object.entries(QUERIES) as [Kind, string][]) {
    for (const row of await execute(query.replaceAll('$tracking', literal(trackingTable)))) {
      const id = String(row.id);
      const parent = row.parent ? String(row.parent) : undefined;
      const needs = new Set(parent ? [parent] : []);
      const definition = DEFINITIONS[kind](row);
      catalog.set(id, {
        ...definition,
        id,
        kind,
        schema: String(row.schema ?? ''),
        parent,
        name: String(row.name),
        needs,
        row,
      });
      for (const address of row.addresses as string[]) ids.set(address, id);
    }
  }
  for (const { dependent, on } of await execute(DEPENDENCIES)) {
    // A column of a view is not an object of its own.
    const idOf = (address: string) => ids.get(address) ?? ids.get(address.replace(/\d+$/, '0'));
    const [id, needed] = [idOf(String(dependent)), idOf(String(on))];
    if (id && needed && id !== needed) catalog.get(id)?.needs.add(needed);
  }
  return catalog;
}

/** What stays the same when an object is renamed or changes its type. A comment has no address but its id. */
export const addressOf = ({ kind, id, row }: CatalogObject) => `${kind} ${(row.addresses as string[])[0] ?? id}`;

/** One line per difference; `a` and `b` name the two sides. */
export function differences(before: Catalog, after: Catalog, a: string, b: string): string[] {
  const lines: string[] = [];
  for (const [id, object] of before) {
    const other = after.get(id);
    if (!other) lines.push(`${id}: only ${a} has it (${object.definition})`);
    else if (!sameDefinition(object, other))
      lines.push(`${id}: ${a} has ${object.definition}, ${b} has ${other.definition}`);
  }
  for (const [id, { definition }] of after) if (!before.has(id)) lines.push(`${id}: only ${b} has it (${definition})`);
  // For a missing table, its columns and indexes are not listed.
  const tables = lines.map((line) => /^(table [^,:]+): only/.exec(line)?.[1]).filter(Boolean);
  return lines.filter((line) => !tables.some((table) => line.startsWith(`${table},`)));
}
