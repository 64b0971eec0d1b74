import type { CatalogObject } from '../catalog/catalog.ts';
import { indexStatement } from '../catalog/definitions.ts';
import { qualifiedName, quote } from '../sql/quote.ts';
import { concurrentIndex, concurrently, hasIndex, shorten, usingIndex } from './create-object.ts';
import { canStay, type Difference } from './difference.ts';
import { type Chain, operation } from './operation.ts';

/** An index, or a constraint with an index, that another one takes the place of. */
export interface Replacement {
  old: CatalogObject;
  now: CatalogObject;
  chain: Chain;
}

/**
 * Of the indexes that go, those that can be there until their successor is built: one of the same name, or of the other
 * primary key of the table. Queries have an index at any time, and rows stay unique.
 */
export function replaceIndexes(difference: Difference): Replacement[] {
  const { before, after, created, dropped } = difference;
  const successors = new Set([...created].flatMap((id) => after.get(id) ?? []).filter(isOnline));
  return [...dropped].flatMap((id): Replacement[] => {
    const old = before.get(id);
    if (!old || !isOnline(old) || !canStay(old, difference)) return [];
    const onTable = [...successors].filter(({ parent }) => parent === old.parent);
    const now =
      onTable.find(({ row }) => row.type === 'p' && old.row.type === 'p') ??
      onTable.find(({ name }) => name === old.name);
    if (!now) return [];
    successors.delete(now);
    const chain: Chain = [
      operation(replace(old, now), replace(now, old), { alone: 'concurrent', step: 'add constraint using index' }),
    ];
    return [{ old, now, chain }];
  });
}

/** Of a partitioned table, PostgreSQL builds no index concurrently. */
const isOnline = (object: CatalogObject) => hasIndex(object) && !object.row.partitioned;

/** Builds the one under another name if it has to, drops the other, and gives it its name. */
function replace(old: CatalogObject, now: CatalogObject): string[] {
  const name = old.name === now.name ? shorten(`${now.name}_new`) : now.name;
  const table = `alter table ${now.row.sql}`;
  const build = concurrentIndex(now.kind === 'index' ? String(now.create[0]) : indexStatement(now.row.index), name);
  if (now.kind === 'constraint' && old.kind === 'constraint')
    return [build, `${table} drop constraint ${quote(old.name)}, ${usingIndex(now, name)}`];
  return [
    build,
    old.kind === 'index'
      ? (concurrently(old).down[0] as string)
      : `${table} drop constraint if exists ${quote(old.name)}`,
    now.kind === 'index'
      ? `alter index ${qualifiedName(now.schema, name)} rename to ${quote(now.name)}`
      : `${table} ${usingIndex(now, name)}`,
  ];
}
