import type { CatalogObject } from '../catalog/catalog.ts';
import type { Difference } from './difference.ts';

/**
 * Statements that replace the PL/pgSQL functions of the triggers of these columns' tables with themselves. A session that
 * has run one keeps the old types of `new` and `old` until its function changes: "type of parameter does not match that
 * when preparing the plan".
 */
export function recompileTriggers(columns: CatalogObject[], { before, dropped, altered }: Difference): string[] {
  const tables = new Set(columns.map(({ parent }) => parent));
  const functions = [...before.values()]
    .filter(({ id, kind, parent }) => kind === 'trigger' && tables.has(parent) && !dropped.has(id))
    .flatMap(({ needs }) => [...needs].flatMap((id) => before.get(id) ?? []))
    .filter(({ id, row }) => row.language === 'plpgsql' && !dropped.has(id) && !altered.has(id));
  return [...new Set(functions)].flatMap(({ create }) => create);
}
