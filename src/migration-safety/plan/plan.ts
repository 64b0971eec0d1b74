import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { quote } from '../sql/quote.ts';
import { sequenceInstead } from './alter-column.ts';
import { columnsOf } from './alter-enum.ts';
import { alterObject } from './alter-object.ts';
import { createObject, createTable, dropObject, hasIndex, isPartOf, isRelation } from './create-object.ts';
import { changesType, compareCatalogs, type Difference, readersOf } from './difference.ts';
import { type Chain, type Operation, operation } from './operation.ts';
import { type Replacement, replaceIndexes } from './replace-index.ts';
import { isSerial } from './serial.ts';

export interface PlanOptions {
  /** Whether entities declared the object so far; what they never did is left alone. */
  isDeclared?: (object: CatalogObject) => boolean;
  /** Plain statements in place of online DDL: they lock tables while they read or write the rows. */
  naive?: boolean;
}

export interface Plan {
  /** Each with those that it waits for; none if the databases are equal. */
  operations: Operation[];
  /** What they make: what entities declare, and what was made by hand. */
  after: Catalog;
}

/** The operations that turn one database into another. */
export function planOperations(
  before: Catalog,
  entities: Catalog,
  { isDeclared = () => true, naive = false }: PlanOptions = {},
): Plan {
  const difference = compareCatalogs(before, entities, isDeclared);
  const chains = {
    makes: chainsOf(difference.created, difference.after, createTable, (object) =>
      createObject(object, difference.after, difference.created.has(object.parent ?? ''), naive),
    ),
    removes: chainsOf(difference.dropped, difference.before, dropTable, (object) =>
      dropObject(object, difference, naive),
    ),
    alters: new Map<string, Chain>(),
  };
  for (const id of difference.altered) {
    const [old, now] = [difference.before.get(id), difference.after.get(id)];
    const chain = old && now && alterObject(old, now, difference, naive);
    if (!chain) continue;
    chains.alters.set(id, chain);
    const sequence = sequenceInstead(old, difference);
    if (sequence) chains.makes.set(sequence.id, chain);
  }
  const replacements = naive ? [] : replaceIndexes(difference);
  for (const { old, now, chain } of replacements) {
    chains.removes.set(old.id, chain);
    chains.makes.set(now.id, chain);
  }
  connect(difference, chains, replacements);
  const { removes, alters, makes } = chains;
  for (const [id, chain] of removes) if (makes.has(id) && makes.get(id) !== chain) chain[0].late = true;
  const operations = new Set([
    ...[...removes.values(), ...alters.values(), ...makes.values()].flat(),
    ...giveSequences(difference, chains),
  ]);
  return { operations: [...operations], after: difference.after };
}

const dropTable = (table: CatalogObject, catalog: Catalog): Operation => {
  const { up, down, table: whole } = createTable(table, catalog);
  return operation(down, up, { table: whole ?? String(table.row.sql), step: 'drop table' });
};

/** A chain for each object; the parts of a table, and what goes with a column, share its chain. */
function chainsOf(
  ids: Set<string>,
  catalog: Catalog,
  table: (object: CatalogObject, catalog: Catalog) => Operation,
  other: (object: CatalogObject) => Chain,
): Map<string, Chain> {
  const chains = new Map<string, Chain>();
  const get = (id: string) => catalog.get(id) as CatalogObject;
  const whole = [...ids].filter((id) => get(id).kind === 'table');
  const containerOf = (id: string) => whole.find((each) => isPartOf(get(id), each, catalog));
  for (const id of whole) if (!containerOf(id)) chains.set(id, [table(get(id), catalog)]);
  for (const id of ids) {
    let container = containerOf(id);
    // A partition goes with its table.
    while (container && !chains.has(container)) container = containerOf(container);
    if (container) chains.set(id, chains.get(container) as Chain);
  }
  const { first = [], others = [] } = Object.groupBy(
    [...ids].filter((id) => !chains.has(id)),
    (id) => (['column', 'view'].includes(get(id).kind) ? 'first' : 'others'),
  );
  for (const id of [...first, ...others])
    chains.set(id, chains.get(goesWith(get(id), catalog) ?? '') ?? other(get(id)));
  return chains;
}

/** The column of a serial's sequence, the materialized view of an index. */
function goesWith({ kind, row, parent }: CatalogObject, catalog: Catalog): string | undefined {
  if (kind === 'index') return parent;
  return kind === 'sequence' && isSerial(catalog.get(String(row.owner)), catalog) ? String(row.owner) : undefined;
}

interface Chains {
  makes: Map<string, Chain>;
  removes: Map<string, Chain>;
  alters: Map<string, Chain>;
}

/** Adds what each operation waits for. */
function connect(difference: Difference, { makes, removes, alters }: Chains, replacements: Replacement[]): void {
  const { before, after } = difference;
  const successors = new Map(replacements.map(({ old, now }) => [old.id, now]));
  const wait = (later: Chain | undefined, earlier: Chain | undefined) => {
    const last = earlier?.at(-1);
    if (later && last && later !== earlier) later[0].after.add(last);
  };
  // What is made comes after what it needs.
  for (const [id, chain] of [...makes, ...alters])
    for (const need of after.get(id)?.needs ?? [])
      if (makes.has(need) || concerns(need, after.get(id), difference))
        wait(chain, makes.get(need) ?? alters.get(need));
  // What is removed or altered comes after what needed it is gone.
  for (const object of before.values()) {
    for (const need of object.needs) {
      wait(removes.get(need), removes.get(object.id) ?? alters.get(object.id));
      if (!successors.get(object.id)?.needs.has(need) && concerns(need, object, difference))
        wait(alters.get(need), removes.get(object.id));
      if (!after.get(object.id)?.needs.has(need)) wait(alters.get(need), alters.get(object.id));
    }
  }
  // Down fills a column that was a foreign key from the columns that it referred to.
  for (const object of before.values()) {
    const { row, needs, parent } = object;
    if (!isForeignKey(object) || removes.has(parent ?? '')) continue;
    const columns = [...needs].flatMap((id) => before.get(id) ?? []).filter(({ kind }) => kind === 'column');
    const own = columns.filter((each) => each.parent === parent && (row.columns as string[]).includes(each.name));
    for (const { id } of own)
      for (const other of columns) {
        wait(alters.get(other.id), removes.get(id));
        if (!own.includes(other)) wait(removes.get(other.id), removes.get(id));
      }
  }
  // PostgreSQL binds a foreign key to any unique index of what it refers to: up makes it once those are dropped that go, and down
  // once those that up makes.
  for (const [id, chain] of makes)
    for (const key of needsOfForeignKey(after.get(id), after))
      for (const old of removes.keys()) if (haveSameColumns(before.get(old), key)) wait(chain, removes.get(old));
  for (const [id, chain] of removes)
    for (const key of needsOfForeignKey(before.get(id), before))
      for (const now of makes.keys()) if (haveSameColumns(after.get(now), key)) wait(makes.get(now), chain);
  // An enum that is made anew, by up or by down, converts its columns while nothing reads them.
  for (const [id, chain] of alters) {
    const type = before.get(id);
    if (type?.kind !== 'type') continue;
    const columns = columnsOf(type, difference);
    for (const reader of readersOf(columns, before)) wait(chain, removes.get(reader.id));
    for (const reader of readersOf(columns, after)) wait(makes.get(reader.id), chain);
  }
  // A name is free once its object is gone.
  const names = new Map<string, Chain>();
  for (const [id, chain] of removes) for (const name of namesOf(before.get(id))) names.set(name, chain);
  for (const [id, chain] of makes) for (const name of namesOf(after.get(id))) wait(chain, names.get(name));
}

/**
 * Whether a change of what an object needs concerns it. A foreign key that is made anew can be there while its column becomes required
 * or gets a default: rows that refer to nothing are refused meanwhile.
 */
function concerns(need: string, object: CatalogObject | undefined, difference: Difference): boolean {
  if (!isForeignKey(object)) return true;
  const [old, now] = [difference.before.get(need)?.row, difference.after.get(need)?.row];
  return changesType(need, difference) || old?.collation !== now?.collation || old?.generated !== now?.generated;
}

/** What the object needs, if it is a foreign key: among it, the unique index of what it refers to. */
const needsOfForeignKey = (object: CatalogObject | undefined, catalog: Catalog): CatalogObject[] =>
  object && isForeignKey(object) ? [...object.needs].flatMap((id) => catalog.get(id) ?? []) : [];

const isForeignKey = (object: CatalogObject | undefined) => object?.kind === 'constraint' && object.row.type === 'f';

/** Whether both are indexes, or constraints that have one, of the same columns. */
function haveSameColumns(one: CatalogObject | undefined, other: CatalogObject | undefined): boolean {
  if (!one || !other || one.parent !== other.parent || !hasIndex(one) || !hasIndex(other)) return false;
  return one.needs.size === other.needs.size && [...one.needs].every((id) => other.needs.has(id));
}

/** What only one object can be at a time: of what is replaced, its id. */
function namesOf(object: CatalogObject | undefined): string[] {
  if (!object) return [];
  const { id, kind, schema, name, parent, row } = object;
  return [
    id,
    ...(row.type === 'p' ? [`primary key of ${parent}`] : []),
    ...(isRelation(object) || row.type === 'x' ? [`relation ${schema}.${name}`] : []),
    ...(['table', 'view', 'type'].includes(kind) ? [`type ${schema}.${name}`] : []),
  ];
}

/** `alter sequence … owned by`, for sequences that `serial` does not make: the column needs the sequence first. */
function giveSequences({ before, after }: Difference, { makes, removes, alters }: Chains): Operation[] {
  const operations: Operation[] = [];
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(id), after.get(id)];
    const [was, is] = [old?.row.owner, now?.row.owner];
    const object = now ?? old;
    if (object?.kind !== 'sequence' || was === is) continue;
    const madeWith =
      (is && makes.has(id) && [makes, alters].some((chains) => chains.get(String(is)) === makes.get(id))) ||
      (was && removes.get(id) === removes.get(String(was)) && removes.get(id));
    if (madeWith) continue;
    const owned = (by: unknown, catalog: Catalog) => {
      const column = catalog.get(String(by));
      return `alter sequence ${object.row.sql} owned by ${column ? `${column.row.sql}.${quote(column.name)}` : 'none'}`;
    };
    // Taken from its column, it is no longer dropped with it.
    const give = operation(owned(is, after), owned(was, before), { step: 'own sequence' });
    for (const chain of [makes.get(id), makes.get(String(is))]) if (chain) give.after.add(chain.at(-1) as Operation);
    removes.get(String(was))?.[0].after.add(give);
    operations.push(give);
  }
  return operations;
}
