import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { sameDefinition } from '../catalog/same-definition.ts';
import { MigrationProblem } from '../problems.ts';

/** What becomes of the objects of a database: by id, in the database before and after. */
export interface Difference {
  before: Catalog;
  after: Catalog;
  created: Set<string>;
  dropped: Set<string>;
  /** Changed where they are: columns, sequences, enums, functions, comments. */
  altered: Set<string>;
  /** Dropped and created: what has no form of ALTER, or depends on what is dropped. In created and dropped as well. */
  replaced: Set<string>;
}

/**
 * Compares the database with what entities declare. What `isDeclared` does not know was made by hand in a migration:
 * it stays, as if an entity declared it.
 */
export function compareCatalogs(
  before: Catalog,
  entities: Catalog,
  isDeclared: (object: CatalogObject) => boolean,
): Difference {
  const after: Catalog = new Map(entities);
  for (const object of before.values())
    if (!entities.has(object.id) && staysByHand(object, before, entities, isDeclared)) after.set(object.id, object);
  const difference: Difference = {
    before,
    after,
    created: new Set([...after.keys()].filter((id) => !before.has(id))),
    dropped: new Set([...before.keys()].filter((id) => !after.has(id))),
    altered: new Set(),
    replaced: new Set(),
  };
  for (const [id, old] of before) {
    const now = after.get(id);
    if (!now || isSame(old, now)) continue;
    if (isAlterable(old, now)) difference.altered.add(id);
    else replace(id, difference);
  }
  replaceDependents(difference);
  return difference;
}

/** Made by hand, and its table stays too. */
function staysByHand(
  object: CatalogObject,
  before: Catalog,
  entities: Catalog,
  isDeclared: (object: CatalogObject) => boolean,
): boolean {
  if (isDeclared(object)) return false;
  const parent = object.parent ? before.get(object.parent) : undefined;
  return !parent || entities.has(parent.id) || staysByHand(parent, before, entities, isDeclared);
}

/** Entities do not declare how a table is stored or partitioned, nor what an extension contains. */
const isSame = (old: CatalogObject, now: CatalogObject) =>
  old.kind === 'table' ||
  old.kind === 'schema' ||
  old.kind === 'extension' ||
  (sameDefinition(old, now) && old.row.owner === now.row.owner);

function isAlterable(old: CatalogObject, now: CatalogObject): boolean {
  switch (old.kind) {
    case 'column':
      // PostgreSQL changes neither the expression nor the type of a computed column. A stored one can become plain.
      return old.row.generated === now.row.generated
        ? !old.row.generated || (old.row.default === now.row.default && old.row.type === now.row.type)
        : old.row.generated === 's' && !now.row.generated;
    case 'type':
      return old.row.type === 'e' && now.row.type === 'e';
    case 'function':
      return old.row.signature === now.row.signature && old.row.type === now.row.type;
    case 'sequence':
    case 'comment':
    case 'row security':
      return true;
    default:
      return false;
  }
}

function replace(id: string, { created, dropped, altered, replaced }: Difference): void {
  created.add(id);
  dropped.add(id);
  replaced.add(id);
  altered.delete(id);
}

/** What depends on a replaced object, or reads a column whose type changes, is replaced too. */
function replaceDependents(difference: Difference): void {
  const { before, after, dropped, replaced } = difference;
  for (let grows = true; grows; ) {
    grows = false;
    for (const object of before.values()) {
      if (dropped.has(object.id)) continue;
      const needs = [...object.needs];
      const gone = needs.find((need) => dropped.has(need));
      const retyped = needs.filter((need) => changesType(need, difference));
      if (gone && !replaced.has(gone) && after.get(object.id)?.needs.has(gone)) throw stillUsed(object, gone);
      const goesWith = gone && object.kind !== 'column' && object.kind !== 'sequence';
      const rereads = retyped.length > 0 && (readsTypes(object) || (retyped.length > 1 && canCompare(object)));
      if (goesWith || (gone && object.row.generated) || rereads) {
        replace(object.id, difference);
        grows = true;
      }
    }
  }
}

/** What may compare columns: it fails while only one of two has its new type. */
const canCompare = (object: CatalogObject) =>
  (object.kind === 'constraint' && object.row.type === 'c') || (object.kind === 'index' && hasExpression(object));

/** Whether an index has more than columns: an expression, a condition, an operator class. */
export const hasExpression = ({ row }: CatalogObject): boolean =>
  !/^[^(]*\((?:[\w", ]|"(?:[^"]|"")*")*\)$/.test(String(row.text));

/**
 * Whether the object is dropped before a column that it needs gets another type, and created after it. PostgreSQL
 * converts indexes, checks and defaults along with the column. It refuses the change of a column that others read, and of
 * a foreign key's columns one by one.
 */
export const readsTypes = ({ kind, row }: CatalogObject) =>
  kind === 'view' ||
  (kind === 'constraint' && row.type === 'f') ||
  kind === 'policy' ||
  kind === 'trigger' ||
  (kind === 'column' && Boolean(row.generated)) ||
  (kind === 'function' && Boolean(row.parsed));

/** Whether what an index or constraint needs stays as it is, so that it can be there until its successor is built. */
export const canStay = ({ needs }: CatalogObject, difference: Difference): boolean =>
  [...needs].every((need) => !difference.dropped.has(need) && !changesType(need, difference));

/** Whether the column gets another type, or a type that is made anew. */
export function changesType(id: string, difference: Difference): boolean {
  const { before, after, altered } = difference;
  const [old, now] = [before.get(id), after.get(id)];
  if (old?.kind !== 'column' || !now) return false;
  return (altered.has(id) && old.row.type !== now.row.type) || isOfRebuiltEnum(old, difference);
}

/** Whether the enum of the column is made anew. */
export const isOfRebuiltEnum = ({ needs }: CatalogObject, { before, after, altered }: Difference): boolean =>
  [...needs].some((need) => altered.has(need) && isRebuiltEnum(before.get(need), after.get(need)));

/** Whether values of the enum are removed or moved. PostgreSQL only adds and renames. */
export function isRebuiltEnum(old: CatalogObject | undefined, now: CatalogObject | undefined): boolean {
  if (old?.kind !== 'type' || old.row.type !== 'e' || !now) return false;
  const kept = (now.row.labels as string[]).filter((label) => (old.row.labels as string[]).includes(label));
  return kept.join('\n') !== (old.row.labels as string[]).join('\n');
}

/**
 * What PostgreSQL does not convert along with these columns, and what needs that in turn, each after what it needs. The
 * comments of the columns stay, and so do their own indexes and constraints.
 */
export function readersOf(columns: CatalogObject[], catalog: Catalog): CatalogObject[] {
  const found = new Map(columns.map((column) => [column.id, column]));
  const readers = new Map<string, CatalogObject>();
  for (let size = -1; size < readers.size; ) {
    size = readers.size;
    for (const object of catalog.values()) {
      const needs = [...object.needs];
      const reads = readsTypes(object) && needs.some((need) => found.has(need));
      if (found.has(object.id) || !(reads || needs.some((need) => readers.has(need)))) continue;
      found.set(object.id, object);
      readers.set(object.id, object);
    }
  }
  return [...readers.values()];
}

const stillUsed = (object: CatalogObject, needed: string) =>
  new MigrationProblem(
    'create-failed',
    `The ${needed} is no longer declared, but ${object.id} uses it: it was made by hand in a migration, and stays.\nDrop or change ${object.id} in a migration first (npx mikro-orm migration:create --blank). No file was written.`,
  );
